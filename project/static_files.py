"""How static files are named and stored: by content, compressed, so that browsers may keep them for good."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise ships no types
    """Our own modules import each other by their hashed names too.

    Django's switch for that reads every script, and stumbles over imports in the comments of htmx.
    """

    _imports = CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]
    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("coaching/js/*.js", _imports))
