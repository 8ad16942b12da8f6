"""The shelf of test media. Import `shelf` into a conftest.py to use it there."""

from collections.abc import Callable
from pathlib import Path

import pytest


class Shelf:
    """Makes each recipe's file once per test session, in a folder of its own; files on it are only ever read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path] = {}

    def get(self, recipe: Callable[[Path], Path]) -> Path:
        """The file that `recipe` makes; recipes are told apart by module and name."""
        key = f"{recipe.__module__}.{recipe.__name__}"
        if key not in self._made:
            folder = self._folder / key
            folder.mkdir()
            self._made[key] = recipe(folder)
        return self._made[key]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))
