"""Importing this registers every page of the admin."""

from coaching.admin import content, people, runs, sessions

__all__ = ["content", "people", "runs", "sessions"]
