"""Fixtures of the media tests."""

from tests.media.films import long_film, minute_film
from tests.media.fixtures import shelf

__all__ = ["long_film", "minute_film", "shelf"]
