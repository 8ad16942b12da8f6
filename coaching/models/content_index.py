"""What the search index was built of, so that operators see whether it knows the present texts."""

from django.db import models


class ContentIndex(models.Model):
    """One row, `pk=1`: the last build. `documents_sha256` is of its texts; `error` of a build that failed since."""

    ONLY_PK = 1

    documents_sha256 = models.CharField(max_length=64, blank=True)
    document_count = models.PositiveIntegerField(default=0)
    embedded_count = models.PositiveIntegerField(default=0)
    built_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "content index"
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_content_index")]

    def __str__(self) -> str:
        return f"content index of {self.document_count} texts"
