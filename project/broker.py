"""kombu's Redis transport, made to live through what is no message.

kombu parses what it takes from a queue inside the worker's event loop and lets the error of a thing that does not
parse end the worker: a single forged entry stops a pool. Here such an entry, which has left the queue already, is
logged and dropped. Entries that are messages go kombu's and Celery's own way, which ends well (`on_decode_error`,
unknown tasks).
"""

import logging
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

logger = logging.getLogger(__name__)

# What kombu and Celery raise over contents that are not what the form promises; a lost connection is none of these.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)


class Channel(redis.Channel):
    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # kombu's stubs leave it out
        except ValueError as error:  # no JSON, or no UTF-8
            logger.warning("an entry of a queue is dropped: it is no message: %s: %.200s", type(error).__name__, error)
            return True


class Transport(redis.Transport):
    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        if lack := find_lack(message):
            logger.warning("an entry of the queue %s is dropped: it is no message: %s", queue, lack)
            return
        try:
            super()._deliver(message, queue)
        except UNREADABLE as error:
            logger.warning("a message of the queue %s is dropped: it cannot be read", queue, exc_info=error)
            self._drop(message)

    def _drop(self, message: Any) -> None:
        """Acknowledge it where it is held already: it would take a place, and come back."""
        tag = message["properties"]["delivery_tag"]
        for channel in self.channels or ():
            try:
                channel.qos.get(tag)
            except KeyError:
                continue
            channel.basic_reject(tag, requeue=False)


def find_lack(message: object) -> str:
    """What keeps this from being a message, or nothing. Its form is that of kombu's virtual transports."""
    if not isinstance(message, dict):
        return f"a {type(message).__name__}"
    properties = message.get("properties")
    if not isinstance(properties, dict):
        return "no properties"
    if not isinstance(properties.get("delivery_tag"), str) or not isinstance(properties.get("delivery_info"), dict):
        return "no delivery tag or information"
    if not isinstance(message.get("headers"), dict):
        return "no headers"
    if not isinstance(message.get("body"), str):
        return "no body"
    return ""


def install() -> None:
    """Use this transport for redis:// and rediss:// in this process."""
    TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = "project.broker:Transport"
