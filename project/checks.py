"""What must be true before anything starts: `manage.py check`, and every command that runs checks first."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004  # Django's name

from coaching.errors import Misconfigured
from coaching.providers.registry import PORTS, load_adapter_class
from media_tools.errors import MissingTool
from media_tools.ffmpeg import list_encoders


@register()
def check_providers(**_: Any) -> list[CheckMessage]:
    """Every port has an adapter that can be imported: there is no fallback to find this out later."""
    errors: list[CheckMessage] = []
    for port in PORTS:
        try:
            load_adapter_class(port)
        except (KeyError, Misconfigured) as error:
            hint = "Name an adapter in settings.PROVIDERS; the embedded ones need requirements-embedded.txt."
            errors.append(Error(f"The port {port} has no adapter: {error}", hint=hint, id="project.E001"))
    return errors


@register()
def check_encoder(**_: Any) -> list[CheckMessage]:
    """FFmpeg is there and lists the encoder that films are made with."""
    try:
        encoders = list_encoders()
    except MissingTool as error:
        return [Error(str(error), hint="Install FFmpeg 7 or set FFMPEG_BINARY.", id="project.E002")]
    if settings.FILM_ENCODER not in encoders:
        hint = "Set FILM_ENCODER=libx264, or give this machine a GPU and an FFmpeg that uses it."
        return [Error(f"FFmpeg has no encoder {settings.FILM_ENCODER}.", hint=hint, id="project.E003")]
    return []


GOOGLE_CLIENTS = {
    "coach": "google.genai",
    "speech_to_text": "google.cloud.speech_v2",
    "text_to_speech": "google.cloud.texttospeech_v1",
    "principle_index": "google.cloud.aiplatform_v1",
    "object_store": "google.cloud.storage",
}
CHIRP_3_REGIONS = frozenset({"us", "eu", "asia-northeast1", "asia-southeast1"})


def _find_google_options(port: str) -> dict[str, Any] | None:
    """The options of the port's adapter where it is one of Google's."""
    chosen = settings.PROVIDERS.get(port, {})
    return chosen["options"] if str(chosen.get("class", "")).startswith("coaching.providers.google.") else None


@register()
def check_google_clients(**_: Any) -> list[CheckMessage]:
    """The clients are installed. Looked for, not imported: that costs seconds, and the web process needs none."""
    missing = [
        module
        for port, module in GOOGLE_CLIENTS.items()
        if _find_google_options(port) is not None and not _is_there(module)
    ]
    if not missing:
        return []
    hint = "Install requirements.txt, or leave GOOGLE_CLOUD_PROJECT and GEMINI_API_KEY out for the local engines."
    return [Error(f"Clients of Google are not installed: {', '.join(missing)}.", hint=hint, id="project.E010")]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package above it
        return False


@register()
def check_google_models(**_: Any) -> list[CheckMessage]:
    """What is known to be wrong without asking Google; the rest is said at the first call, with the setting's name."""
    messages: list[CheckMessage] = []
    coach = _find_google_options("coach") or {}
    model, location = str(coach.get("model", "")), str(coach.get("location", ""))
    if model == "gemini-3-flash":
        hint = "Set GEMINI_MODEL=gemini-3-flash-preview."
        messages.append(Error("Google serves Gemini 3 Flash under another id.", hint=hint, id="project.E011"))
    if coach.get("project") and "preview" in model and location != "global":
        hint = "Set GEMINI_LOCATION=global."
        messages.append(Error(f"{model} is not served from {location}.", hint=hint, id="project.E012"))
    speech = _find_google_options("speech_to_text") or {}
    if speech.get("model") == "chirp_3" and speech["location"] not in CHIRP_3_REGIONS:
        hint = f"Set GOOGLE_CLOUD_REGION to one of {', '.join(sorted(CHIRP_3_REGIONS))}, unless Google has added it."
        messages.append(Warning(f"chirp_3 may not be served from {speech['location']}.", hint=hint, id="project.W010"))
    return messages
