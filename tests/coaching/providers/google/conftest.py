"""The models of Google, each a server of this machine, and their adapters."""

from collections.abc import Iterator

import pytest

from coaching.providers.google.gemini import GeminiCoach
from coaching.providers.google.speech_to_text import GoogleRecogniser
from coaching.providers.google.text_to_speech import GoogleVoice
from coaching.providers.ports import DishText
from coaching.providers.pricing import Price
from tests.coaching.providers.google.models import hear_nothing, make_coach, make_developer_coach
from tests.coaching.providers.local.kitchen import dishes
from tests.emulators.gemini import GeminiEmulator
from tests.emulators.iam import PROJECT
from tests.emulators.speech import SpeechEmulator
from tests.emulators.text_to_speech import TextToSpeechEmulator
from tests.emulators.world import GoogleWorld


@pytest.fixture
def fried_rice() -> DishText:
    return dishes()["fried-rice"]


@pytest.fixture(scope="session")
def gemini_server(google_world: GoogleWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GeminiEmulator]:
    with GeminiEmulator(google_world.identity, folder=tmp_path_factory.mktemp("gemini")) as server:
        yield server


@pytest.fixture
def gemini(gemini_server: GeminiEmulator) -> GeminiEmulator:
    """One server for all tests, which has forgotten what the others ordered and sent."""
    gemini_server.forget()
    return gemini_server


@pytest.fixture(scope="session")
def coach(gemini_server: GeminiEmulator) -> GeminiCoach:
    """On Vertex AI, and without second tries: what went wrong shows."""
    return make_coach(gemini_server, tries=1)


@pytest.fixture(scope="session")
def developer_coach(gemini_server: GeminiEmulator) -> GeminiCoach:
    """With nothing but an API key."""
    return make_developer_coach(gemini_server, tries=1)


@pytest.fixture
def voice_server(google_world: GoogleWorld) -> Iterator[TextToSpeechEmulator]:
    with TextToSpeechEmulator(google_world.identity) as server:
        yield server


@pytest.fixture
def voice(voice_server: TextToSpeechEmulator) -> GoogleVoice:
    price = Price(per_million_characters=16)
    return GoogleVoice(project=PROJECT, endpoint=voice_server.url, price=price, tries=1)


@pytest.fixture
def speech_server(google_world: GoogleWorld) -> Iterator[SpeechEmulator]:
    with SpeechEmulator(google_world.identity, listener=hear_nothing, fetch=lambda uri: b"sound") as server:
        yield server


@pytest.fixture
def recogniser(speech_server: SpeechEmulator) -> GoogleRecogniser:
    return GoogleRecogniser(
        project=PROJECT,
        location="asia-northeast1",
        endpoint=speech_server.url,
        price=Price(per_audio_minute=0.016),
        tries=1,
    )
