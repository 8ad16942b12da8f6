"""What is wrong with a deployment on Google is said at boot, where that can be known there."""

import sys
from typing import Any

import pytest
from pytest_django import Settings

from project.checks import check_google_clients, check_google_models
from project.env import Env
from project.google_providers import describe_google_providers

NEEDED: dict[str, Any] = {
    "google_cloud_project": "moment-clone-test",
    "google_storage_bucket": "bucket",
    "google_vector_index": "projects/1/locations/asia-northeast1/indexes/2",
    "google_vector_endpoint": "projects/1/locations/asia-northeast1/indexEndpoints/3",
    "google_vector_deployed_index": "deployed",
    "google_vector_domain": "1.asia-northeast1-2.vdb.vertexai.goog",
}


def choose_google(settings: Settings, **variables: Any) -> None:
    env = Env(**{**NEEDED, **variables})
    settings.PROVIDERS = settings.PROVIDERS | describe_google_providers(env, redis_url=settings.REDIS_URL)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, []),
        ({"gemini_model": "gemini-3-flash", "model_prices": {"gemini-3-flash": {}}}, ["project.E011"]),
        ({"gemini_location": "asia-northeast1"}, ["project.E012"]),
        ({"google_cloud_region": "europe-west6"}, ["project.W010"]),
        ({"google_cloud_project": "", "gemini_api_key": "k", "gemini_location": "us-central1"}, []),
    ],
)
def test_what_google_does_not_serve_is_named_with_the_setting(
    settings: Settings, variables: dict[str, Any], expected: list[str]
) -> None:
    choose_google(settings, **variables)
    messages = check_google_models()
    assert [message.id for message in messages] == expected
    assert all("GEMINI_" in str(m.hint) or "GOOGLE_" in str(m.hint) for m in messages)


def test_clients_that_are_installed_are_found_without_being_imported(settings: Settings) -> None:
    choose_google(settings)
    assert check_google_clients() == []


def test_clients_that_are_missing_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter's own way to say that a module cannot be had."""
    choose_google(settings)
    monkeypatch.setitem(sys.modules, "google.genai", None)
    (error,) = check_google_clients()
    assert (error.id, "google.genai" in error.msg) == ("project.E010", True)


def test_the_local_default_asks_for_nothing_of_google(settings: Settings) -> None:
    assert check_google_clients() == []
    assert check_google_models() == []
