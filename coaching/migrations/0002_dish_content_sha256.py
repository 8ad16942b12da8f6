from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("coaching", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="dish",
            name="content_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
    ]
