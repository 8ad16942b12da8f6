"""The cast and the stage of the tests of `coaching`.

Alice is an active learner with every required consent; Bob is a free one; Charlie is active too and has no business
with Alice's things; Sam is staff. Each has a client that is logged in. The object store is a folder of the test's own.
"""

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from coaching import queries, throttles
from coaching.knowledge.loader import read_catalogue
from coaching.models import Consent, Dish, Principle, User
from coaching.models.user import SubscriptionStatus
from coaching.providers import registry
from coaching.providers.ports import SelfServedStore
from coaching.services.content import describe_dish, describe_principle

PASSWORD = "kome-to-tamago-7"


@pytest.fixture
def loaded_content(db: None) -> None:
    """Every principle and dish of the knowledge files, as `load_content` would write them."""
    catalogue = read_catalogue()
    Principle.objects.bulk_create([Principle(**describe_principle(entry)) for entry in catalogue.principles])
    Dish.objects.bulk_create([Dish(**describe_dish(entry)) for entry in catalogue.dishes])


@pytest.fixture
def object_store(tmp_path: Path, settings: Settings) -> Iterator[SelfServedStore]:
    options = settings.PROVIDERS["object_store"]["options"] | {"root": tmp_path / "objects"}
    settings.PROVIDERS = settings.PROVIDERS | {
        "object_store": settings.PROVIDERS["object_store"] | {"options": options}
    }
    registry.forget_adapters()
    yield registry.get_self_served_store()
    registry.forget_adapters()


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    throttles.connect_to_attempts().reset()


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Settings) -> None:
    """The real hasher takes half a second a password, on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def give_consents(user: User) -> None:
    Consent.objects.bulk_create(
        Consent(user=user, key=text.key, version=text.version, granted=True)
        for text in queries.list_consent_texts()
        if text.required
    )


def make_learner(name: str, *, status: SubscriptionStatus = SubscriptionStatus.ACTIVE, **fields: Any) -> User:
    user = User.objects.create_user(
        f"{name.lower()}@example.com", first_name=name, subscription_status=status, onboarding_done=True, **fields
    )
    give_consents(user)
    return user


@pytest.fixture
def alice(db: None) -> User:
    return make_learner("Alice")


@pytest.fixture
def bob(db: None) -> User:
    return make_learner("Bob", status=SubscriptionStatus.FREE)


@pytest.fixture
def charlie(db: None) -> User:
    return make_learner("Charlie")


@pytest.fixture
def sam(db: None) -> User:
    return make_learner("Sam", is_staff=True, is_superuser=True)


def log_in(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def alice_client(alice: User) -> APIClient:
    return log_in(alice)


@pytest.fixture
def bob_client(bob: User) -> APIClient:
    return log_in(bob)


@pytest.fixture
def charlie_client(charlie: User) -> APIClient:
    return log_in(charlie)


@pytest.fixture
def sam_client(sam: User) -> APIClient:
    return log_in(sam)


@pytest.fixture
def video_bytes() -> bytes:
    """What looks like an MP4 to the first look; the probe, which comes later, would refuse it."""
    return b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 40


@pytest.fixture
def memo_file(tmp_path: Path) -> Path:
    return write_memo(tmp_path / "memo.wav", seconds=1)


def write_memo(path: Path, *, seconds: float, level: float = 0.3) -> Path:
    """A real recording of a tone, 16 kHz mono."""
    rate_hz = 16_000
    wobble = np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate_hz)) / rate_hz)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((wobble * level * 32_767).astype("<i2").tobytes())
    return path
