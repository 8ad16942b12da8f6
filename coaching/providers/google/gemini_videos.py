"""How a video reaches Gemini: as gs:// on Vertex AI, through the Files API of the Developer API.

A file that went up is deleted after the call, whatever came of it: a learner's kitchen does not stay with others for
two days. Google deletes it by itself then, so a deletion that fails is logged and no more.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from coaching.errors import (
    MalformedAnswer,
    Misconfigured,
    MomentCloneError,
    ProviderRefused,
    ProviderUnavailable,
    StageCancelled,
)
from coaching.providers.deadline import Deadline
from coaching.providers.google.gemini_client import GeminiClient
from coaching.providers.google.gemini_faults import translate_gemini_errors
from coaching.providers.google.http_deadline import hold_to
from coaching.providers.google.patience import call_patiently
from coaching.providers.ports import MediaLocation

if TYPE_CHECKING:
    from google.genai import types

logger = logging.getLogger(__name__)

# What Gemini takes, by the ending that intake gives an object. Matroska is sent as WebM, which is a part of it.
VIDEO_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mov",
    ".3gp": "video/3gpp",
    ".webm": "video/webm",
    ".mkv": "video/webm",
}
_POLL_SECONDS = 2.0
_DELETE_SECONDS = 15.0


@contextmanager
def lend_video(
    client: GeminiClient,
    video: MediaLocation,
    *,
    fps: float,
    deadline: Deadline,
    cancel: threading.Event | None,
    poll_seconds: float = _POLL_SECONDS,
) -> Iterator["types.Part"]:
    """The video as a part of a prompt, there for as long as the context is.

    Raises `Misconfigured` where this mode cannot read the store, `ProviderRefused` for a file that Gemini cannot read.
    """
    content_type = VIDEO_TYPES.get(PurePosixPath(video.object_path).suffix.lower())
    if content_type is None:
        raise ProviderRefused(f"Gemini reads no video such as {video.object_path}")
    if client.options.is_vertex:
        if not video.cloud_uri:
            raise Misconfigured(
                "Gemini on Vertex AI reads videos from gs:// only: set GOOGLE_STORAGE_BUCKET, so that the object "
                "store is Cloud Storage, or use GEMINI_API_KEY without GOOGLE_CLOUD_PROJECT"
            )
        yield _make_part(video.cloud_uri, content_type=content_type, fps=fps)
        return
    if not isinstance(video.source, Path):
        raise Misconfigured(
            "Gemini's Developer API gets videos from this machine's own store only: set GOOGLE_CLOUD_PROJECT to let "
            "Vertex AI read them from Cloud Storage"
        )
    uploads = _Uploads(client, deadline=deadline, cancel=cancel, poll_seconds=poll_seconds)
    name = uploads.send(video.source, content_type=content_type)
    try:
        yield _make_part(uploads.wait_until_active(name), content_type=content_type, fps=fps)
    finally:
        uploads.delete(name)


def _make_part(uri: str, *, content_type: str, fps: float) -> "types.Part":
    from google.genai import types

    return types.Part(
        file_data=types.FileData(file_uri=uri, mime_type=content_type),
        video_metadata=types.VideoMetadata(fps=fps),
    )


class _Uploads:
    def __init__(
        self, client: GeminiClient, *, deadline: Deadline, cancel: threading.Event | None, poll_seconds: float
    ) -> None:
        self._client = client
        self._deadline = deadline
        self._cancel = cancel or threading.Event()
        self._poll_seconds = poll_seconds

    def send(self, source: Path, *, content_type: str) -> str:
        """The file's name. No display name: ours would tell whose it is."""
        from google.genai import types

        def upload() -> "types.File":
            with self._translate("file upload"), hold_to(self._deadline):
                try:
                    return self._client.connect().files.upload(
                        file=source, config=types.UploadFileConfig(mime_type=content_type)
                    )
                except (ValueError, KeyError) as error:  # what the SDK raises where the protocol breaks off
                    raise ProviderUnavailable(f"{self._client.describe('file upload')}: {error}") from error

        sent = call_patiently(upload, deadline=self._deadline, tries=self._client.options.tries)
        return self._read_name(sent)

    def wait_until_active(self, name: str) -> str:
        """The file's URI. Raises `ProviderRefused` where Gemini could not read it, `StageCancelled`."""
        what = self._client.describe("file state")

        def look() -> "types.File":
            with self._translate("file state"), hold_to(self._deadline):
                return self._client.connect().files.get(name=name)

        while True:
            file = call_patiently(look, deadline=self._deadline, tries=self._client.options.tries)
            state = file.state.value if file.state else ""
            if state == "ACTIVE" and file.uri:
                return file.uri
            if state == "FAILED":
                reason = file.error.message if file.error else "no reason given"
                raise ProviderRefused(f"{what}: the video could not be read: {reason}")
            if state != "PROCESSING":
                raise MalformedAnswer(f"{what}: the file is in no known state: {state!r}")
            if self._cancel.wait(min(self._poll_seconds, self._deadline.remaining_seconds)):
                raise StageCancelled(f"{what}: cancelled while the video was taken in")
            self._deadline.check()

    def delete(self, name: str) -> None:
        deadline = Deadline(_DELETE_SECONDS, doing=self._client.describe("file deletion"))
        try:
            with self._translate("file deletion"), hold_to(deadline):
                self._client.connect().files.delete(name=name)
        except MomentCloneError as error:
            logger.warning("a video stays with Gemini until it expires: %s", error)

    def _translate(self, call: str) -> AbstractContextManager[None]:
        return translate_gemini_errors(self._client.describe(call), fix=self._client.advise())

    def _read_name(self, file: "types.File") -> str:
        if not file.name:
            raise MalformedAnswer(f"{self._client.describe('file upload')}: the file has no name")
        return file.name
