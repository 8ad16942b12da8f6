"""Stands for the metadata server of GKE (Workload Identity) and for IAM's signBlob.

Point GCE_METADATA_HOST and GCE_METADATA_IP here before google.auth is imported, and CloudStore's `iam_endpoint`.
Tokens are drawn at random and checked by every server that shares this `Identity`.
"""

import base64
import secrets
import threading
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.emulators.http_server import Answer, HttpEmulator, Refusal, Request

ACCOUNT = "moment-clone@test-project.iam.gserviceaccount.com"
PROJECT = "test-project"
CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
SIGN_PATH = f"/v1/projects/-/serviceAccounts/{ACCOUNT}:signBlob"


class Identity:
    """One service account: its key, which only IAM holds, and the tokens that were given out for it.

    `shared_token` makes servers of several processes know each other's tokens.
    """

    def __init__(self, *, shared_token: str = "") -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._tokens: set[str] = {shared_token} if shared_token else set()
        self._shared_token = shared_token
        self._lock = threading.Lock()

    def give_token(self) -> str:
        token = self._shared_token or f"ya29.{secrets.token_urlsafe(24)}"
        with self._lock:
            self._tokens.add(token)
        return token

    def withdraw_tokens(self) -> None:
        with self._lock:
            self._tokens.clear()

    def knows(self, authorization: str) -> bool:
        kind, _, token = authorization.partition(" ")
        return kind == "Bearer" and token in self._tokens

    def require_token(self, request: Request) -> None:
        """401 as Google answers it."""
        if not self.knows(request.headers.get("Authorization") or ""):
            raise Refusal(401, "Invalid Credentials", reason="authError", status_name="UNAUTHENTICATED")

    def sign(self, payload: bytes) -> bytes:
        return self._key.sign(payload, padding.PKCS1v15(), hashes.SHA256())

    def verify(self, signature: bytes, payload: bytes) -> None:
        """Raises `cryptography.exceptions.InvalidSignature`."""
        self._key.public_key().verify(signature, payload, padding.PKCS1v15(), hashes.SHA256())


class IamEmulator(HttpEmulator):
    def __init__(self, identity: Identity) -> None:
        super().__init__()
        self._identity = identity

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/computeMetadata/") or request.path == "/":
            return self._answer_metadata(request)
        if request.path == SIGN_PATH:
            return self._sign(request)
        return super().answer(request)

    def _answer_metadata(self, request: Request) -> Answer:
        if request.headers.get("Metadata-Flavor") != "Google":
            raise Refusal(403, "Missing Metadata-Flavor:Google header.")
        path = request.path.removeprefix("/computeMetadata/v1").rstrip("/")
        account: dict[str, Any] = {"email": ACCOUNT, "scopes": [CLOUD_SCOPE], "aliases": ["default"]}
        flavor = {"Metadata-Flavor": "Google"}
        texts = {
            "": "computeMetadata/\n",
            "/project/project-id": PROJECT,
            "/universe/universe-domain": "googleapis.com",
            "/instance/service-accounts/default/email": ACCOUNT,
        }
        if path in texts or request.path == "/":
            return Answer(headers={**flavor, "Content-Type": "application/text"}, body=texts.get(path, "").encode())
        if path in {"/instance/service-accounts/default", f"/instance/service-accounts/{ACCOUNT}"}:
            return Answer.of_json(account, headers=flavor)
        if path.startswith("/instance/service-accounts/") and path.endswith("/token"):
            token = {"access_token": self._identity.give_token(), "expires_in": 3599, "token_type": "Bearer"}
            return Answer.of_json(token, headers=flavor)
        raise Refusal(404, f"no metadata at {path}")

    def _sign(self, request: Request) -> Answer:
        if request.method != "POST":
            raise Refusal(405, "signBlob is a POST")
        self._identity.require_token(request)
        content = request.json
        if set(content) != {"payload"}:
            raise Refusal(400, f"Unknown name in {sorted(content)}", status_name="INVALID_ARGUMENT")
        signature = self._identity.sign(base64.b64decode(content["payload"], validate=True))
        return Answer.of_json({"keyId": "key-1", "signedBlob": base64.b64encode(signature).decode()})
