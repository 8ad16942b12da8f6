"""Fixtures of the media tests."""

from tests.media.fixtures import shelf

__all__ = ["shelf"]
