"""Plain Python on media files: paths in, dataclasses out. No Django, no Celery."""
