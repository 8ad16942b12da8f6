"""Which object paths there are. So strict that no path can leave the store's folder or name one of its own files."""

import re

from coaching.errors import NotFound

MAX_PATH_LENGTH = 512
# A segment begins with a letter or a digit: no "..", no hidden file; the store's own files begin with a dot.
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_PREFIX = re.compile(rf"(?:{_SEGMENT}/)*(?:{_SEGMENT})?")


def check_object_path(object_path: str) -> str:
    """The path itself; raises `NotFound` for what cannot name an object."""
    if len(object_path) > MAX_PATH_LENGTH or not _PATH.fullmatch(object_path):
        raise NotFound(f"not an object path: {object_path[:200]!r}")
    return object_path


def split_prefix(prefix: str) -> str:
    """The folder that holds every path beginning with `prefix` ("" for all); raises `NotFound` as above."""
    if len(prefix) > MAX_PATH_LENGTH or not _PREFIX.fullmatch(prefix):
        raise NotFound(f"not a prefix of object paths: {prefix[:200]!r}")
    return prefix.rpartition("/")[0]
