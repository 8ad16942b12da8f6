"""Brings database, content and static files to what this code expects: `python -m project.prepare`.

Safe to repeat, and quick when there is nothing to do. Runs before the processes start; on a cluster, as a job.
"""

import os

import django
from django.core.management import call_command

from project import embedded


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    with embedded.ensure():
        django.setup()
        call_command("migrate", interactive=False, verbosity=1)
        call_command("load_content")
        call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
