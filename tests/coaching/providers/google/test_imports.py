"""Google's clients cost seconds and a hundred megabytes to import: who does not use them does not pay for them."""

import json
import os
import subprocess
import sys

from project.env import PROJECT_FOLDER

PROJECT = {
    "GOOGLE_CLOUD_PROJECT": "moment-clone-test",
    "GOOGLE_STORAGE_BUCKET": "bucket",
    "GOOGLE_VECTOR_INDEX": "projects/1/locations/asia-northeast1/indexes/2",
    "GOOGLE_VECTOR_ENDPOINT": "projects/1/locations/asia-northeast1/indexEndpoints/3",
    "GOOGLE_VECTOR_DEPLOYED_INDEX": "deployed",
    "GOOGLE_VECTOR_DOMAIN": "1.asia-northeast1-2.vdb.vertexai.goog",
}
# What a web process does before its first request, and a worker before its first task; then every adapter's module.
START_UP = """
import json, sys
import project.wsgi
from django.core.checks import run_checks
from django.urls import get_resolver
from coaching.providers import registry
import tasks.stages

get_resolver().url_patterns
errors = [str(error) for error in run_checks() if error.is_serious()]
classes = {port: registry.load_adapter_class(port).__module__ for port in registry.PORTS}
# Namespaces, which have no file, come from the interpreter's own start.
files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
loaded = sorted(name for name, file in files.items() if file and name.split(".")[0] in {"google", "grpc"})
print(json.dumps({"errors": errors, "classes": classes, "loaded": loaded}))
"""


def start_up(**environment: str) -> dict[str, object]:
    done = subprocess.run(  # our own interpreter and script
        [sys.executable, "-c", START_UP],
        cwd=PROJECT_FOLDER,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return read


def test_a_process_on_google_starts_without_importing_its_clients() -> None:
    started = start_up(**PROJECT)
    assert started["errors"] == []
    assert set(started["classes"].values()) == {  # type: ignore[attr-defined]  # JSON
        "coaching.providers.google.gemini",
        "coaching.providers.google.speech_to_text",
        "coaching.providers.google.text_to_speech",
        "coaching.providers.google.cloud_storage",
        "coaching.providers.google.vector_search",
    }
    assert started["loaded"] == []
