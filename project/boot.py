"""What a process must know before it serves: that the broker takes the credentials that it was given."""

from urllib.parse import urlsplit

import redis
from django.core.exceptions import ImproperlyConfigured

PATIENCE_SECONDS = 2.0


def require_broker_access(url: str) -> None:
    """Raises `ImproperlyConfigured` where the broker answers and refuses us: that does not mend itself.

    kombu takes a wrong password for a lost connection and tries for ever, so nobody reads why nothing runs. A broker
    that does not answer may still come: it is left to the reconnecting of each process.
    """
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=PATIENCE_SECONDS, socket_timeout=PATIENCE_SECONDS
        ) as broker:
            broker.ping()
    except (redis.AuthenticationError, redis.ResponseError) as error:
        raise ImproperlyConfigured(
            f"REDIS_URL is not usable: the broker at {_name_place(url)} refuses it: {error}. "
            "Its form is redis://USER:PASSWORD@HOST:PORT/DATABASE, rediss:// with TLS; USER may be empty. "
            "The password is the broker's requirepass, or that of its user."
        ) from None  # the original shows nothing more, and its traceback hides the line
    except (redis.ConnectionError, redis.TimeoutError):
        return


def _name_place(url: str) -> str:
    """Host, port and database, without what is secret."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}{parts.path}"
