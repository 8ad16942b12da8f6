"""Google's clients cost seconds and a hundred megabytes: no process has them before it asks Google."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.embedded.places import PROJECT_FOLDER
from project.env import Env
from project.google_providers import describe_google_providers

# Real modules only: `google` and `google.cloud` alone are names that a .pth file makes at every start.
LIST_CLIENTS = """
import sys
import django
django.setup()
import project.wsgi, project.celery, project.urls
from django.urls import get_resolver
get_resolver().url_patterns
from coaching.providers import registry
assert "google" in registry.load_adapter_class("object_store").__module__
for port in registry.PORTS:
    registry._get(port)
found = [name for name, module in sys.modules.items() if name.split(".")[0] in {"google", "grpc", "vertexai"}]
print(*[name for name in found if getattr(sys.modules[name], "__file__", None)])
"""
ON_GOOGLE = {
    "GOOGLE_CLOUD_PROJECT": "test-project",
    "GOOGLE_STORAGE_BUCKET": "test-bucket",
    "GOOGLE_VECTOR_INDEX": "projects/1/locations/asia-northeast1/indexes/2",
    "GOOGLE_VECTOR_ENDPOINT": "projects/1/locations/asia-northeast1/indexEndpoints/3",
    "GOOGLE_VECTOR_DEPLOYED_INDEX": "principles_1",
    "GOOGLE_VECTOR_DOMAIN": "1.asia-northeast1-2.vdb.vertexai.goog",
    "DJANGO_SETTINGS_MODULE": "project.settings",
}


def make_env(**changed: Any) -> Env:
    return Env(**{name.lower(): value for name, value in ON_GOOGLE.items() if name.startswith("GOOGLE_")} | changed)


def test_web_and_workers_start_and_make_every_adapter_without_a_client_of_google() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", LIST_CLIENTS],
        env={**os.environ, **ON_GOOGLE},
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == []


def test_a_project_without_the_rest_stops_the_boot_and_says_where_to_get_it() -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        describe_google_providers(make_env(google_storage_bucket="", google_vector_domain=""), redis_url="")
    assert "GOOGLE_STORAGE_BUCKET: the bucket" in str(raised.value)
    assert "GOOGLE_VECTOR_DOMAIN: the endpoint's publicEndpointDomainName" in str(raised.value)
    assert "GOOGLE_VECTOR_INDEX" not in str(raised.value)


def test_a_service_that_nobody_knows_is_no_endpoint() -> None:
    with pytest.raises(ImproperlyConfigured, match="no such service: storrage"):
        describe_google_providers(make_env(google_endpoints={"storrage": "http://127.0.0.1:1"}), redis_url="")
