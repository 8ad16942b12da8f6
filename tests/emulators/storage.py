"""Stands for Cloud Storage: the JSON API with resumable uploads, and signed reads of the XML API."""

import re
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from tests.emulators.http_server import Answer, HttpEmulator, Refusal, Request
from tests.emulators.iam import Identity
from tests.emulators.signed_requests import XmlRefusal, check_signature, is_signed
from tests.emulators.storage_objects import Bucket, cut_range
from tests.emulators.storage_uploads import Uploads

BUCKET = "test-bucket"
PAGE_OBJECTS = 3  # small, so that every listing of a test is paged
_OBJECT = re.compile(r"/(?P<kind>download/)?storage/v1/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)")
_LIST = re.compile(r"/storage/v1/b/(?P<bucket>[^/]+)/o")
_UPLOAD = re.compile(r"/upload/storage/v1/b/(?P<bucket>[^/]+)/o")
_READ_PARAMETERS = {"alt", "prettyPrint", "projection", "fields", "generation"}
_LIST_PARAMETERS = {"prefix", "fields", "pageToken", "maxResults", "projection", "prettyPrint"}


class StorageEmulator(HttpEmulator):
    """One bucket. `browser_origins` is its CORS configuration, for signed reads; uploads have an origin each.

    `clock_offset_seconds` is how far its clock is ahead.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        folder: Path,
        bucket: str = BUCKET,
        browser_origins: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls=tls)
        self._identity = identity
        self._browser_origins = frozenset(browser_origins)
        self.clock_offset_seconds = 0.0
        self.bucket = Bucket(bucket, folder)
        self.uploads = Uploads(self.bucket, read_clock=self.read_clock)

    def read_clock(self) -> float:
        return time.time() + self.clock_offset_seconds

    def answer(self, request: Request) -> Answer:
        if is_signed(request) or (request.method == "OPTIONS" and request.path.startswith(f"/{self.bucket.name}/")):
            return self._answer_signed(request)
        if found := _UPLOAD.fullmatch(request.path):
            self._require_bucket(found["bucket"])
            return self._answer_upload(request)
        self._identity.require_token(request)
        if found := _OBJECT.fullmatch(request.path):
            self._require_bucket(found["bucket"])
            return self._answer_object(request, unquote(found["name"]), is_download=bool(found["kind"]))
        if found := _LIST.fullmatch(request.path):
            self._require_bucket(found["bucket"])
            return self._list(request)
        return super().answer(request)

    def _require_bucket(self, name: str) -> None:
        if name != self.bucket.name:
            raise Refusal(404, "The specified bucket does not exist.", reason="notFound")

    def _answer_upload(self, request: Request) -> Answer:
        if "upload_id" in request.query:
            return self.uploads.go_on(request)
        self._identity.require_token(request)
        if request.method != "POST":
            raise Refusal(405, "an upload begins with a POST")
        if request.query.get("uploadType") == "multipart":
            return self.uploads.take_multipart(request)
        if request.query.get("uploadType") == "resumable":
            return self.uploads.open(request, base_url=self.url)
        raise Refusal(400, f"uploadType={request.query.get('uploadType')}")

    def _answer_object(self, request: Request, name: str, *, is_download: bool) -> Answer:
        if request.method == "DELETE":
            self.bucket.delete(name, request.query)
            return Answer(status=204)
        if request.method != "GET":
            raise Refusal(405, f"{request.method} of an object")
        if unknown := request.query.keys() - _READ_PARAMETERS:
            raise Refusal(400, f"unknown parameters: {sorted(unknown)}")
        if is_download or request.query.get("alt") == "media":
            return self._send(request, name, content_type="", disposition="")
        return Answer.of_json(self.bucket.describe(self.bucket.get(name)))

    def _list(self, request: Request) -> Answer:
        if unknown := request.query.keys() - _LIST_PARAMETERS:
            raise Refusal(400, f"unknown parameters: {sorted(unknown)}")
        after = request.query.get("pageToken", "")
        names = [name for name in self.bucket.list_names(request.query.get("prefix", "")) if name > after]
        page = names[: min(PAGE_OBJECTS, int(request.query.get("maxResults") or PAGE_OBJECTS))]
        listing = {"kind": "storage#objects", "items": [self.bucket.describe(self.bucket.get(name)) for name in page]}
        if len(page) < len(names):
            listing["nextPageToken"] = page[-1]
        return Answer.of_json(listing)

    def _answer_signed(self, request: Request) -> Answer:
        origin = request.headers.get("Origin") or ""
        cors = {}
        if origin in self._browser_origins:
            cors = {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": "GET, HEAD",
                "Access-Control-Allow-Headers": "range",
                "Access-Control-Expose-Headers": "Content-Range, Content-Length, Content-Type",
            }
        if request.method == "OPTIONS":
            return Answer(headers=cors)
        check_signature(request, self._identity, now=self.read_clock())
        if request.method not in {"GET", "HEAD"}:
            raise XmlRefusal(405, "MethodNotAllowed", request.method)
        name = unquote(request.path).removeprefix(f"/{self.bucket.name}/")
        if self.bucket.find(name) is None:
            raise XmlRefusal(404, "NoSuchKey", "The specified key does not exist.")
        answer = self._send(
            request,
            name,
            content_type=request.query.get("response-content-type", ""),
            disposition=request.query.get("response-content-disposition", ""),
        )
        return Answer(status=answer.status, headers={**answer.headers, **cors}, body=answer.body, part=answer.part)

    def _send(self, request: Request, name: str, *, content_type: str, disposition: str) -> Answer:
        blob = self.bucket.get(name)
        headers = {
            "Content-Type": content_type or blob.content_type,
            "Accept-Ranges": "bytes",
            "ETag": f'"{blob.md5}"',
            "X-Goog-Hash": f"crc32c={blob.crc32c},md5={blob.md5}",
            "X-Goog-Generation": str(blob.generation),
            "X-Goog-Stored-Content-Encoding": "identity",
            "X-Goog-Stored-Content-Length": str(blob.size_bytes),
        }
        if disposition:
            headers["Content-Disposition"] = disposition
        found = cut_range(blob, request.headers.get("Range"))
        if found is None:
            return Answer(status=416, headers={"Content-Range": f"bytes */{blob.size_bytes}"})
        part, content_range = found
        if content_range:
            return Answer(status=206, headers={**headers, "Content-Range": content_range}, part=part)
        return Answer(headers=headers, part=part)
