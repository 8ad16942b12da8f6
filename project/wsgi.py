"""The web process's entry point (gunicorn project.wsgi)."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from project.boot import require_broker_access

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
application = get_wsgi_application()
require_broker_access(settings.CELERY_BROKER_URL)
