"""manage.py load_content: knowledge files -> rows -> search index. Repeating it changes nothing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coaching.errors import MomentCloneError
from coaching.knowledge.loader import ContentError
from coaching.services import content


class Command(BaseCommand):
    help = "Load principles and dishes into the database and make the principles searchable. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-index", action="store_true", help="write the rows only, leave the search index")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = content.load_content()
            embedded = None if options["no_index"] else content.build_index()
        except (ContentError, MomentCloneError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"content: {len(report.created)} created, {len(report.updated)} updated, {report.unchanged} unchanged"
        )
        if report.unlisted:
            self.stdout.write(f"in no file, left alone: {', '.join(report.unlisted)}")
        if embedded is not None:
            self.stdout.write(f"index: {embedded} texts embedded anew")
