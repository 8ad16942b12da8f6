"""Which adapter serves which port. The only door to `providers.local` and `providers.google`.

`settings.PROVIDERS` maps each port to a dotted path and its options. An adapter is loaded on first use, once a
process, after fork: engines hold threads and channels that do not survive one. One with a "limit" stands behind its
model's gate, which all workers share. There is no fallback: an adapter that cannot load raises, and `project.checks`
says so at boot.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from coaching.errors import Misconfigured, NotFound
from coaching.providers.ports import (
    Coach,
    ObjectStore,
    PrincipleIndex,
    SelfServedStore,
    SpeechToText,
    TextToSpeech,
)
from coaching.providers.rate_limits import LimitedAdapter, ModelGate

PORTS = ("coach", "speech_to_text", "text_to_speech", "principle_index", "object_store")

_adapters: dict[str, Any] = {}
_chosen: dict[str, Mapping[str, Any]] = {}
_lock = threading.RLock()


@contextmanager
def provided_by(providers: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Serve ports from other adapters for a while, in this process: for measurements. The form is `PROVIDERS`'."""
    with _lock:
        _chosen.update(providers)
        forget_adapters()
    try:
        yield
    finally:
        with _lock:
            _chosen.clear()
            forget_adapters()


def _describe(port: str) -> Mapping[str, Any]:
    return _chosen.get(port) or settings.PROVIDERS[port]


def load_adapter_class(port: str) -> type[Any]:
    """The adapter's class, without making one. Raises `Misconfigured` when its dotted path leads nowhere."""
    path = _describe(port)["class"]
    try:
        return cast("type[Any]", import_string(path))
    except ImportError as error:
        raise Misconfigured(f"PROVIDERS[{port!r}]: cannot import {path}: {error}") from error


def _get(port: str) -> Any:
    with _lock:
        if port not in _adapters:
            adapter = load_adapter_class(port)(**_describe(port)["options"])
            limit = _describe(port).get("limit")
            if limit is not None:
                adapter = LimitedAdapter(adapter, ModelGate(redis_url=settings.REDIS_URL, **limit))
            _adapters[port] = adapter
        return _adapters[port]


def get_coach() -> Coach:
    return cast("Coach", _get("coach"))


def get_speech_to_text() -> SpeechToText:
    return cast("SpeechToText", _get("speech_to_text"))


def get_text_to_speech() -> TextToSpeech:
    return cast("TextToSpeech", _get("text_to_speech"))


def get_principle_index() -> PrincipleIndex:
    return cast("PrincipleIndex", _get("principle_index"))


def get_object_store() -> ObjectStore:
    return cast("ObjectStore", _get("object_store"))


def get_self_served_store() -> SelfServedStore:
    """The object store as the views of /uploads/ and /media/ need it; raises `NotFound` where another serves."""
    store = get_object_store()
    if not hasattr(store, "append_chunk"):
        raise NotFound("the object store serves its own uploads and links")
    return cast("SelfServedStore", store)


def forget_adapters() -> None:
    """Drop loaded adapters: after a fork, and when a test changes the settings."""
    with _lock:
        _adapters.clear()
