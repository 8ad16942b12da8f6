"""The Files API of the Developer API: a resumable upload in chunks, a time of processing, a file."""

import base64
import hashlib
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.emulators.gemini_requests import complain
from tests.emulators.http_server import Answer, Refusal, Request

GRANULARITY_BYTES = 256 * 1024
UPLOAD_PATH = "/upload/v1beta/files"
PUBLIC_URL = "https://generativelanguage.googleapis.com/v1beta"


@dataclass(kw_only=True)
class StoredFile:
    name: str
    content_type: str
    content: bytes = field(repr=False)
    looks_left: int
    fails_with: str = ""

    @property
    def uri(self) -> str:
        return f"{PUBLIC_URL}/{self.name}"

    @property
    def state(self) -> str:
        if self.looks_left > 0:
            return "PROCESSING"
        return "FAILED" if self.fails_with else "ACTIVE"

    def describe(self) -> dict[str, Any]:
        described: dict[str, Any] = {
            "name": self.name,
            "mimeType": self.content_type,
            "sizeBytes": str(len(self.content)),
            "uri": self.uri,
            "state": self.state,
            "sha256Hash": base64.b64encode(hashlib.sha256(self.content).hexdigest().encode()).decode(),
        }
        if self.state == "FAILED":
            described["error"] = {"code": 3, "message": self.fails_with}
        return described


@dataclass(kw_only=True)
class Upload:
    content_type: str
    size_bytes: int
    content: bytearray = field(default_factory=bytearray)


class FilesApi:
    """`looks_until_active`: how often a new file is looked at before it is ready. `fail_next` spoils the next one."""

    def __init__(self, *, folder: Path, looks_until_active: int = 2) -> None:
        self._folder = folder
        self._looks_until_active = looks_until_active
        self.forget()

    def forget(self) -> None:
        self.files: dict[str, StoredFile] = {}
        self.uploads: dict[str, Upload] = {}
        self.deleted: list[str] = []
        self.looks_until_active = self._looks_until_active
        self.fail_next = ""
        self._numbers = itertools.count(1)

    def handle(self, request: Request, *, url: str) -> Answer | None:
        """None where the request is not about files."""
        if request.path == UPLOAD_PATH and request.method == "POST":
            return self._upload(request, url)
        if not request.path.startswith("/v1beta/files/"):
            return None
        name = request.path.removeprefix("/v1beta/")
        stored = self.files.get(name)
        if stored is None:
            raise Refusal(403, NO_FILE, status_name="PERMISSION_DENIED")
        if request.method == "DELETE":
            del self.files[name]
            self.deleted.append(name)
            return Answer.of_json({})
        stored.looks_left -= 1
        return Answer.of_json(stored.describe())

    def find_by_uri(self, uri: str) -> StoredFile:
        """Raises `Refusal` for a file that is not there, or not ready."""
        stored = self.files.get(uri.removeprefix(f"{PUBLIC_URL}/"))
        if stored is None:
            raise complain(f"You do not have permission to access the File {uri} or it may not exist.")
        if stored.state != "ACTIVE":
            raise complain(f"The File {stored.name} is not in an ACTIVE state and usage is not allowed.")
        return stored

    def save(self, stored: StoredFile, *, suffix: str) -> Path:
        """The bytes that arrived, for an answerer that opens files."""
        path = self._folder / f"{stored.name.replace('/', '-')}{suffix}"
        path.write_bytes(stored.content)
        return path

    def _upload(self, request: Request, url: str) -> Answer:
        command = request.headers.get("x-goog-upload-command", "")
        if command == "start":
            return self._start(request, url)
        upload = self.uploads.get(request.query.get("upload_id", ""))
        if upload is None:
            raise complain("no such upload")
        if int(request.headers.get("x-goog-upload-offset", "-1")) != len(upload.content):
            raise complain(f"the upload stands at {len(upload.content)}")
        is_last = "finalize" in command
        if not is_last and len(request.body) % GRANULARITY_BYTES:
            raise complain(f"chunks but the last are multiples of {GRANULARITY_BYTES}")
        upload.content += request.body
        if not is_last:
            return Answer.of_json({}, headers={"X-Goog-Upload-Status": "active"})
        if len(upload.content) != upload.size_bytes:
            raise complain(f"{upload.size_bytes} bytes were announced, {len(upload.content)} came")
        stored = StoredFile(
            name=f"files/f{request.query['upload_id']}",
            content_type=upload.content_type,
            content=bytes(upload.content),
            looks_left=self.looks_until_active,
            fails_with=self.fail_next,
        )
        self.fail_next = ""
        self.files[stored.name] = stored
        return Answer.of_json({"file": stored.describe()}, headers={"X-Goog-Upload-Status": "final"})

    def _start(self, request: Request, url: str) -> Answer:
        if request.headers.get("x-goog-upload-protocol") != "resumable":
            raise complain("X-Goog-Upload-Protocol must be resumable")
        metadata = request.json.get("file", {})
        if metadata.get("displayName") or metadata.get("name"):
            raise complain("the file tells its name: that is the learner's")
        number = str(next(self._numbers))
        self.uploads[number] = Upload(
            content_type=request.headers.get("x-goog-upload-header-content-type", ""),
            size_bytes=int(request.headers.get("x-goog-upload-header-content-length", "-1")),
        )
        return Answer.of_json(
            {},
            headers={
                "X-Goog-Upload-URL": f"{url}{UPLOAD_PATH}?upload_id={number}&upload_protocol=resumable",
                "X-Goog-Upload-Status": "active",
                "X-Goog-Upload-Chunk-Granularity": str(GRANULARITY_BYTES),
            },
        )


NO_FILE = "You do not have permission to access the File or it may not exist."
