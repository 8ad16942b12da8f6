"""The server's side glances at a browser's upload: how far is it, and end it. No credentials: the URL is the key.

https://cloud.google.com/storage/docs/performing-resumable-uploads: a status query is a PUT with
`Content-Range: bytes */*`; 308 with `Range` says what has arrived, 200 or 201 that the object is there, 404 or 410
that the session is gone, and 499 answers a DELETE.
"""

from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

from coaching.errors import ProviderRateLimited, StoreUnavailable, UploadClosed
from coaching.providers.google.faults import parse_retry_after, translate_google_errors

GOOGLE_STORAGE = "https://storage.googleapis.com"
CALL_SECONDS = 30.0
RESUME_INCOMPLETE = 308
GONE = frozenset({404, 410, 499})
DONE = frozenset({200, 201})


class ResumableUploads:
    def __init__(self, *, endpoint: str, bucket: str) -> None:
        self._origin = (endpoint or GOOGLE_STORAGE).rstrip("/")
        self._path = f"/upload/storage/v1/b/{bucket}/o"

    def count_bytes(self, url: str) -> int:
        """Raises `UploadClosed` where the session is gone, `StoreUnavailable` where the service does not answer."""
        if not self._is_ours(url):
            raise UploadClosed("no upload of this store")
        answer = self._send("PUT", url, {"Content-Range": "bytes */*", "Content-Length": "0"})
        if answer.status_code == RESUME_INCOMPLETE:
            _, _, last = answer.headers.get("Range", "").rpartition("-")
            return int(last) + 1 if last else 0
        if answer.status_code in DONE:
            return int(answer.json()["size"])
        if answer.status_code in GONE or 400 <= answer.status_code < 429:
            raise UploadClosed(f"the upload is gone: {answer.status_code} {answer.text[:200]}")
        raise _describe_refusal(answer, "counting an upload's bytes")

    def close(self, url: str) -> None:
        """End the session; bytes of an unfinished one are forgotten. Absent is fine."""
        if not self._is_ours(url):
            return
        answer = self._send("DELETE", url, {"Content-Length": "0"})
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _describe_refusal(answer, "closing an upload")

    def _is_ours(self, url: str) -> bool:
        """We send requests to our own bucket's sessions only, whatever a row says."""
        parts = urlsplit(url)
        return (
            f"{parts.scheme}://{parts.netloc}" == self._origin
            and parts.path == self._path
            and bool(parse_qs(parts.query).get("upload_id"))
        )

    def _send(self, method: str, url: str, headers: dict[str, str]) -> Any:
        with translate_google_errors(
            "Cloud Storage", f"{method} of an upload session", fix="", unavailable=StoreUnavailable
        ):
            return self._http.request(method, url, headers=headers, timeout=CALL_SECONDS, allow_redirects=False)

    @cached_property
    def _http(self) -> Any:
        import requests  # what the storage client itself speaks through

        return requests.Session()


def _describe_refusal(answer: Any, call: str) -> Exception:
    said = f"Cloud Storage, {call}: {answer.status_code} {answer.text[:200]}"
    retry_after_seconds = parse_retry_after(answer.headers.get("Retry-After", ""))
    kind = ProviderRateLimited if answer.status_code == 429 else StoreUnavailable
    return kind(said, retry_after_seconds=retry_after_seconds)
