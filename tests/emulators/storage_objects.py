"""The objects of one bucket, as files of a folder, with what Cloud Storage knows of each."""

import base64
import hashlib
import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import google_crc32c

from tests.emulators.http_server import FilePart, Refusal

SETTABLE = {"name", "contentType", "metadata", "crc32c", "md5Hash"}


def compute_crc32c(content: bytes) -> str:
    """As the API writes it: base64 of the big-endian number."""
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


@dataclass(frozen=True, kw_only=True)
class StoredBlob:
    name: str
    file: Path
    size_bytes: int
    content_type: str
    metadata: Mapping[str, str]
    generation: int
    crc32c: str
    md5: str
    created_at: datetime


class Bucket:
    """`folder` may be read by other processes: `find_blob_file` says where an object's bytes are."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._blobs: dict[str, StoredBlob] = {}
        self._generations = itertools.count(1_700_000_000_000_000)
        self._lock = threading.RLock()

    def find(self, name: str) -> StoredBlob | None:
        return self._blobs.get(name)

    def get(self, name: str) -> StoredBlob:
        blob = self.find(name)
        if blob is None:
            raise Refusal(404, f"No such object: {self.name}/{name}", reason="notFound")
        return blob

    def list_names(self, prefix: str) -> list[str]:
        return sorted(name for name in self._blobs if name.startswith(prefix))

    def check_precondition(self, name: str, query: Mapping[str, str]) -> None:
        """412 where it does not hold. A write without one is refused: it could destroy what another one wrote."""
        if "ifGenerationMatch" not in query:
            raise Refusal(400, f"{name}: a write without ifGenerationMatch", reason="required")
        blob = self.find(name)
        if int(query["ifGenerationMatch"]) != (0 if blob is None else blob.generation):
            raise Refusal(
                412, "At least one of the pre-conditions you specified did not hold.", reason="conditionNotMet"
            )

    def write(
        self, resource: Mapping[str, Any], content: bytes, *, content_type: str, query: Mapping[str, str]
    ) -> StoredBlob:
        """Keep a new generation; `resource` is what the client says of it."""
        if unknown := resource.keys() - SETTABLE:
            raise Refusal(400, f"unknown fields: {sorted(unknown)}")
        crc32c = compute_crc32c(content)
        if resource.get("crc32c", crc32c) != crc32c:
            raise Refusal(400, f"Provided CRC32C {resource['crc32c']!r} doesn't match calculated CRC32C {crc32c!r}.")
        name = str(resource["name"])
        with self._lock:
            self.check_precondition(name, query)
            generation = next(self._generations)
            file = find_blob_file(self._folder, name)
            draft = file.with_suffix(f".{generation}")
            draft.write_bytes(content)
            draft.replace(file)
            blob = StoredBlob(
                name=name,
                file=file,
                size_bytes=len(content),
                content_type=content_type,
                metadata=dict(resource.get("metadata") or {}),
                generation=generation,
                crc32c=crc32c,
                md5=base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
                created_at=datetime.now(UTC),
            )
            self._blobs[name] = blob
        return blob

    def delete(self, name: str, query: Mapping[str, str]) -> None:
        with self._lock:
            blob = self.get(name)
            self.check_precondition(name, query)
            del self._blobs[name]
            blob.file.unlink()

    def describe(self, blob: StoredBlob) -> dict[str, Any]:
        """The object resource of the JSON API; numbers of 64 bits are strings there."""
        return {
            "kind": "storage#object",
            "id": f"{self.name}/{blob.name}/{blob.generation}",
            "name": blob.name,
            "bucket": self.name,
            "generation": str(blob.generation),
            "metageneration": "1",
            "contentType": blob.content_type,
            "size": str(blob.size_bytes),
            "crc32c": blob.crc32c,
            "md5Hash": blob.md5,
            "etag": f"etag-{blob.generation}",
            "timeCreated": blob.created_at.isoformat().replace("+00:00", "Z"),
            "updated": blob.created_at.isoformat().replace("+00:00", "Z"),
            "storageClass": "STANDARD",
            "metadata": dict(blob.metadata),
        }


def find_blob_file(folder: Path, name: str) -> Path:
    return folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}-{quote(name, safe='')[-100:]}.blob"


def cut_range(blob: StoredBlob, stated: str | None) -> tuple[FilePart, str] | None:
    """The part that `Range: bytes=A-B`, `A-` or `-N` asks for, and its Content-Range; None where nothing lies there."""
    if not stated:
        return FilePart(path=blob.file, first_byte=0, last_byte=blob.size_bytes - 1), ""
    first_text, _, last_text = stated.removeprefix("bytes=").partition("-")
    if not stated.startswith("bytes=") or "," in stated:
        raise Refusal(400, f"not a range: {stated}")
    if first_text:
        first = int(first_text)
        last = min(int(last_text), blob.size_bytes - 1) if last_text else blob.size_bytes - 1
    else:
        first, last = max(0, blob.size_bytes - int(last_text)), blob.size_bytes - 1
    if first > last:
        return None
    part = FilePart(path=blob.file, first_byte=first, last_byte=last)
    return part, f"bytes {first}-{last}/{blob.size_bytes}"
