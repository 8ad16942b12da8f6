"""All of Google that the product talks to, side by side, and the environment that points the product there."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.emulators.certificates import Certificates, make_certificates
from tests.emulators.embeddings import Embedder, EmbeddingsEmulator
from tests.emulators.gemini import Answerer, GeminiEmulator
from tests.emulators.gemini_requests import Video, complain
from tests.emulators.iam import PROJECT, IamEmulator, Identity
from tests.emulators.speech import Listener, SpeechEmulator
from tests.emulators.storage import BUCKET, StorageEmulator
from tests.emulators.text_to_speech import Speaker, TextToSpeechEmulator
from tests.emulators.vector_search import DEPLOYED_INDEX, INDEX, INDEX_ENDPOINT, VectorSearchEmulator

DIMENSIONS = 768

FetchVideo = Callable[[Video], Path]


@dataclass(frozen=True, kw_only=True)
class Answerers:
    """What stands behind the models. `watch` gets the means to reach stored videos."""

    watch: Callable[[FetchVideo], Answerer]
    listen: Listener
    speak: Speaker
    embed: Embedder


@dataclass(frozen=True, kw_only=True)
class Services:
    certificates: Certificates
    iam: IamEmulator
    storage: StorageEmulator
    gemini: GeminiEmulator
    speech: SpeechEmulator
    text_to_speech: TextToSpeechEmulator
    vector_search: VectorSearchEmulator
    embeddings: EmbeddingsEmulator

    @property
    def environment(self) -> dict[str, str]:
        """For every process of the product, before it imports anything of Google's."""
        servers = {name: getattr(self, name) for name in ENDPOINTS}
        metadata = f"127.0.0.1:{self.iam.port}"
        return {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "GOOGLE_STORAGE_BUCKET": BUCKET,
            "GOOGLE_VECTOR_INDEX": INDEX,
            "GOOGLE_VECTOR_ENDPOINT": INDEX_ENDPOINT,
            "GOOGLE_VECTOR_DEPLOYED_INDEX": DEPLOYED_INDEX,
            "GOOGLE_VECTOR_DOMAIN": "no-domain.example",
            "GOOGLE_ENDPOINTS": json.dumps({name: server.url for name, server in servers.items()}),
            "GCE_METADATA_HOST": metadata,
            "GCE_METADATA_IP": metadata,
            "SSL_CERT_FILE": str(self.certificates.bundle),
            "REQUESTS_CA_BUNDLE": str(self.certificates.bundle),
            "MEDIA_ORIGINS": self.storage.url,
        }

    @property
    def complaints(self) -> list[str]:
        """What any of the servers found wrong with what it was sent."""
        return [complaint for name in ENDPOINTS for complaint in getattr(self, name).complaints]


ENDPOINTS = ("storage", "iam", "gemini", "speech", "text_to_speech", "vector_search", "embeddings")


@contextmanager
def open_services(folder: Path, answerers: Answerers) -> Iterator[Services]:
    """Storage speaks TLS, because FFmpeg reads signed links over https only."""
    certificates = make_certificates(folder / "certificates")
    identity = Identity()
    with ExitStack() as stack:
        storage = stack.enter_context(
            StorageEmulator(identity, folder=folder / "bucket", tls=certificates.make_server_context())
        )

        def find_file(uri: str) -> Path | None:
            blob = storage.bucket.find(uri.removeprefix(f"gs://{BUCKET}/"))
            return None if blob is None else blob.file

        def fetch(uri: str) -> bytes | None:
            file = find_file(uri)
            return None if file is None else file.read_bytes()

        def fetch_video(video: Video) -> Path:
            file = find_file(video.uri)
            if file is None:
                raise complain(f"Cannot fetch content from the provided URI: {video.uri}")
            return file

        gemini = GeminiEmulator(
            identity,
            folder=folder / "gemini-files",
            answerer=answerers.watch(fetch_video),
            find_object=lambda uri: find_file(uri) is not None,
        )
        yield Services(
            certificates=certificates,
            iam=stack.enter_context(IamEmulator(identity)),
            storage=storage,
            gemini=stack.enter_context(gemini),
            speech=stack.enter_context(SpeechEmulator(identity, listener=answerers.listen, fetch=fetch)),
            text_to_speech=stack.enter_context(TextToSpeechEmulator(identity, speaker=answerers.speak)),
            vector_search=stack.enter_context(VectorSearchEmulator(identity, dimensions=DIMENSIONS)),
            embeddings=stack.enter_context(EmbeddingsEmulator(identity, embedder=answerers.embed)),
        )
