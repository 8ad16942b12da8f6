"""What every server of Google's shares in one test run: an identity, the metadata server and IAM, certificates.

google.auth reads GCE_METADATA_HOST when it is imported: begin the world before the first adapter is used.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.emulators.certificates import Certificates, make_certificates
from tests.emulators.iam import IamEmulator, Identity

METADATA_VARIABLES = ("GCE_METADATA_HOST", "GCE_METADATA_IP")
FOREIGN_VARIABLES = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GOOGLE_API_KEY", "GEMINI_API_KEY")


@dataclass(frozen=True, kw_only=True)
class GoogleWorld:
    identity: Identity
    iam: IamEmulator
    certificates: Certificates


@contextmanager
def open_world(folder: Path) -> Iterator[GoogleWorld]:
    if "google.auth.compute_engine._metadata" in sys.modules:
        raise RuntimeError("google.auth has been imported already: it would ask the real metadata server")
    for name in FOREIGN_VARIABLES:
        os.environ.pop(name, None)
    identity = Identity()
    with IamEmulator(identity) as iam:
        for name in METADATA_VARIABLES:
            os.environ[name] = f"127.0.0.1:{iam.port}"
        yield GoogleWorld(identity=identity, iam=iam, certificates=make_certificates(folder / "certificates"))
