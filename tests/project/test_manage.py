"""Which Django commands bring the embedded servers up."""

import pytest

from manage import needs_servers


@pytest.mark.parametrize("line", ["migrate", "runserver 8080", "makemigrations --check", "check --database default"])
def test_commands_that_may_open_the_database_have_servers(line: str) -> None:
    assert needs_servers(["manage.py", *line.split()])


@pytest.mark.parametrize("line", ["", "--version", "help", "migrate --help", "shell -h", "check", "collectstatic"])
def test_commands_that_only_talk_or_write_files_start_nothing(line: str) -> None:
    assert not needs_servers(["manage.py", *line.split()])
