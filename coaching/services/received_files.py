"""Files of a multipart request, as paths: FILE_UPLOAD_HANDLERS writes every one of them to our own folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    path: Path
    claimed_type: str


@contextmanager
def locate_upload(upload: UploadedFile) -> Iterator[ReceivedFile]:
    """The file on the disk while the block runs; it is removed afterwards."""
    if not isinstance(upload, TemporaryUploadedFile):
        raise TypeError("FILE_UPLOAD_HANDLERS must write uploads to disk (TemporaryFileUploadHandler)")
    try:
        upload.flush()
        yield ReceivedFile(path=Path(upload.temporary_file_path()), claimed_type=upload.content_type or "")
    finally:
        upload.close()
