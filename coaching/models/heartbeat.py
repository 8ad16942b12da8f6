"""When something that has to happen again and again last happened: a dead man's switch for operators."""

from django.db import models


class Heartbeat(models.Model):
    """One row a name, by the database's clock. A row that ages tells that its work stands still."""

    name = models.CharField(max_length=40, primary_key=True)
    beaten_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.beaten_at:%Y-%m-%d %H:%M:%S}"
