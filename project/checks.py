"""What must be true before anything starts: `manage.py check`, and every command that runs checks first."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

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
