from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("coaching", "0005_steer_permission_and_content_index")]

    operations = [
        migrations.AddField(
            model_name="session",
            name="raw_media_deleted_at",
            field=models.DateTimeField(blank=True, null=True),
        )
    ]
