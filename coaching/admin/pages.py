"""Importing this registers every page of the admin."""

from coaching.admin import people, runs, sessions

__all__ = ["people", "runs", "sessions"]
