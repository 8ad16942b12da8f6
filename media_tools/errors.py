"""What can go wrong with media.

MediaError
├── InvalidMedia        the file itself is at fault: permanent, the learner can send another
├── MediaToolFailed     FFmpeg ended badly on acceptable input: worth another try
│   └── MediaLimitExceeded   it broke its limit of time, CPU, memory or output
├── MediaCancelled      the caller asked to stop; nothing was kept
└── MissingTool         FFmpeg, one of its filters or a font is not there: the operator's to mend
"""

from enum import StrEnum
from typing import Literal

LimitKind = Literal["wall", "cpu", "memory", "output"]


class MediaFault(StrEnum):
    """Why a file is refused. Stable codes: callers map them to words for the learner."""

    EMPTY = "empty"
    UNREADABLE = "unreadable"
    FORMAT_NOT_ACCEPTED = "format_not_accepted"
    CODEC_NOT_ACCEPTED = "codec_not_accepted"
    NO_VIDEO = "no_video"
    NO_AUDIO = "no_audio"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    DIMENSIONS_NOT_ACCEPTED = "dimensions_not_accepted"
    TRUNCATED = "truncated"


class MediaError(Exception):
    """Base of everything that media_tools raises on purpose."""


class InvalidMedia(MediaError):
    """The file is at fault; trying again with the same file cannot help."""

    def __init__(self, fault: MediaFault, detail: str) -> None:
        super().__init__(f"{fault.value}: {detail}")
        self.fault = fault
        self.detail = detail


class MediaToolFailed(MediaError):
    """FFmpeg failed on input that had passed the probe. `stderr_tail` is for the operator."""

    def __init__(self, message: str, *, stderr_tail: str = "", exit_code: int | None = None) -> None:
        super().__init__(message)
        self.stderr_tail = stderr_tail
        self.exit_code = exit_code


class MediaLimitExceeded(MediaToolFailed):
    """FFmpeg was stopped at a limit; `limit` says which."""

    def __init__(self, message: str, *, limit: LimitKind, stderr_tail: str = "", exit_code: int | None = None) -> None:
        super().__init__(message, stderr_tail=stderr_tail, exit_code=exit_code)
        self.limit = limit


class MediaCancelled(MediaError):
    """The caller's cancel event was set; the process is dead and its output removed."""


class MissingTool(MediaError):
    """A binary, filter, encoder or font that this machine must have is not there."""
