"""The deployment: settings, the Celery application, URLs, embedded servers, processes, demo."""

# The Celery application is loaded by `project.settings`, not here: `project.embedded` starts without Django or Celery.
