#!/usr/bin/env python
"""Django's commands. Those that may need the database run beside the embedded servers where no others are given."""

import os
import sys

from django.core.management import execute_from_command_line

from project import embedded

# They read and write files only; `check` looks at the database when asked to with --database.
WITHOUT_SERVERS = {"check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "makemessages"}


def needs_servers(argv: list[str]) -> bool:
    """Whether the command line names a command that may open the database or the broker."""
    options = set(argv[1:])
    if len(argv) < 2 or options & {"--help", "-h", "--version"}:
        return False
    return argv[1] not in WITHOUT_SERVERS or "--database" in options


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        if needs_servers(sys.argv):
            embedded.ensure()  # let go at exit
    except embedded.EmbeddedError as error:
        sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
