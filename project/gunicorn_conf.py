"""gunicorn's configuration (`--config=python:project.gunicorn_conf`): its lines look like all others.

It writes no access log: paths of uploads are capabilities, and `coaching.web.request_log` knows the request's id.
"""

from project.env import load_env
from project.logs import describe_logging

_env = load_env()
_logging = describe_logging(level=_env.log_level, log_format=_env.log_format)

logconfig_dict = {
    **_logging,
    "loggers": {
        **_logging["loggers"],
        "gunicorn.error": {"handlers": [], "level": _env.log_level, "propagate": True},
        "gunicorn.access": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
