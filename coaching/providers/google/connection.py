"""Who we are to Google, and where its services are. SDKs are imported on first use, after fork.

Credentials are Application Default Credentials: Workload Identity on GKE, a key file or a user's login elsewhere. An
endpoint is "" for Google's own; another one is a server on this machine that speaks the same protocol (the tests',
`make demo GOOGLE=emulated`), and gets the same credentials.
"""

import os
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from coaching.errors import Misconfigured, ProviderUnavailable

CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LOOPBACK = frozenset({"127.0.0.1", "localhost"})
MAX_MESSAGE_BYTES = 64 * 1024**2  # gRPC's own limit of 4 MiB is less than a minute of LINEAR16 sound


@cache
def load_credentials() -> Any:
    """The process's credentials, made once; they renew their tokens by themselves.

    Raises `Misconfigured` where there are none, `ProviderUnavailable` where GCE_METADATA_HOST names a metadata server
    that does not answer now.
    """
    import google.auth
    from google.auth.environment_vars import GCE_METADATA_HOST
    from google.auth.exceptions import DefaultCredentialsError

    try:
        credentials, _ = google.auth.default(scopes=[CLOUD_SCOPE])
    except DefaultCredentialsError as error:
        # google-auth takes a metadata server that stumbles at the first knock for none at all.
        if metadata := os.environ.get(GCE_METADATA_HOST):
            raise ProviderUnavailable(f"Google: the metadata server {metadata} does not answer ({error})") from error
        raise Misconfigured(
            "Google: no credentials were found. On GKE bind the pod's service account by Workload Identity; elsewhere "
            "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file. "
            f"({error})"
        ) from error
    return credentials


def check_endpoint(endpoint: str) -> str:
    """`http(s)://HOST:PORT` of this machine, or "". Raises `Misconfigured`: credentials go to Google or stay here."""
    parts = urlsplit(endpoint)
    if endpoint and (parts.scheme not in {"http", "https"} or parts.hostname not in LOOPBACK or not parts.port):
        raise Misconfigured(f"GOOGLE_ENDPOINTS: {endpoint!r} is no http(s)://127.0.0.1:PORT")
    return endpoint


def open_channel(host: str) -> Any:
    """A gRPC channel to a server of this machine (`http://127.0.0.1:PORT`), with our credentials on every call.

    Close it with `.close()`. For Google's own endpoints the clients open channels themselves.
    """
    import grpc
    from google.auth.transport.grpc import AuthMetadataPlugin
    from google.auth.transport.requests import Request

    plugin = AuthMetadataPlugin(load_credentials(), Request())
    # Over TCP, `local` credentials allow per-call ones on a connection that does not leave this machine.
    secrets = grpc.composite_channel_credentials(
        grpc.local_channel_credentials(grpc.LocalConnectionType.LOCAL_TCP), grpc.metadata_call_credentials(plugin)
    )
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.enable_http_proxy", 0),
    ]
    return grpc.secure_channel(urlsplit(check_endpoint(host)).netloc, secrets, options=options)
