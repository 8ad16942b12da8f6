"""Which adapters of Google serve which port, with what settings. Empty without GOOGLE_CLOUD_PROJECT.

A project switches every port: there is no mixture by accident and no fallback. What is missing stops the boot.
GEMINI_API_KEY without a project switches the coach alone, to the Developer API.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from coaching.providers.pricing import Price
from project.env import Env
from project.prices import make_price_table

ENDPOINTS = ("storage", "iam", "gemini", "speech", "text_to_speech", "vector_search", "embeddings")
NEEDED = {
    "google_storage_bucket": "the bucket that keeps videos and films (k8s/terraform makes it)",
    "google_vector_index": "projects/NUMBER/locations/REGION/indexes/ID, of `gcloud ai indexes list`",
    "google_vector_endpoint": "projects/NUMBER/locations/REGION/indexEndpoints/ID, of `gcloud ai index-endpoints list`",
    "google_vector_deployed_index": "the id under which the index is deployed to that endpoint",
    "google_vector_domain": "the endpoint's publicEndpointDomainName, of `gcloud ai index-endpoints describe`",
}
DIMENSIONS = 768


def describe_google_providers(env: Env, *, redis_url: str) -> dict[str, dict[str, Any]]:
    """`PROVIDERS` of a deployment on Google. Raises `ImproperlyConfigured` naming every variable that is missing."""
    if not env.google_cloud_project:
        return {"coach": _describe_coach(env)} if env.gemini_api_key else {}
    _require_settings(env)
    endpoints = {name: env.google_endpoints.get(name, "") for name in ENDPOINTS}
    prices = make_price_table(
        env.model_prices, models=[env.google_speech_model, env.google_voice, env.google_embedding_model]
    )
    return {
        "coach": _describe_coach(env),
        "speech_to_text": {
            "class": "coaching.providers.google.speech_to_text.GoogleRecogniser",
            "options": {
                "project": env.google_cloud_project,
                "location": env.google_cloud_region,
                "model": env.google_speech_model,
                "price": prices[env.google_speech_model],
                "endpoint": endpoints["speech"],
            },
            "limit": {"key": env.google_speech_model, "rate": "300/minute"},
        },
        "text_to_speech": {
            "class": "coaching.providers.google.text_to_speech.GoogleVoice",
            "options": {
                "project": env.google_cloud_project,
                "voice": env.google_voice,
                "price": prices[env.google_voice],
                "endpoint": endpoints["text_to_speech"],
            },
            "limit": {"key": env.google_voice, "rate": "300/minute"},
        },
        "object_store": {
            "class": "coaching.providers.google.cloud_storage.CloudStore",
            "options": {
                "project": env.google_cloud_project,
                "bucket": env.google_storage_bucket,
                "signing_account": env.google_signing_account,
                "read_lifetime": timedelta(seconds=min(env.signed_url_lifetime_seconds, 12 * 3600)),
                "redis_url": redis_url,
                "storage_endpoint": endpoints["storage"],
                "iam_endpoint": endpoints["iam"],
            },
        },
        "principle_index": _describe_principle_index(env, endpoints, prices),
    }


def _describe_principle_index(env: Env, endpoints: Mapping[str, str], prices: Mapping[str, Price]) -> dict[str, Any]:
    return {
        "class": "coaching.providers.google.vector_search.VectorSearchIndex",
        "options": {
            "project": env.google_cloud_project,
            "index": env.google_vector_index,
            "index_endpoint": env.google_vector_endpoint,
            "deployed_index": env.google_vector_deployed_index,
            "domain": env.google_vector_domain,
            "embedding_model": env.google_embedding_model,
            "embedding_price": prices[env.google_embedding_model],
            "dimensions": DIMENSIONS,
            "bucket": env.google_storage_bucket,
            "endpoint": endpoints["vector_search"],
            "gemini_endpoint": endpoints["embeddings"],
            "storage_endpoint": endpoints["storage"],
            "iam_endpoint": endpoints["iam"],
        },
        "limit": {"key": env.google_embedding_model, "rate": "600/minute"},
    }


def _describe_coach(env: Env) -> dict[str, Any]:
    prices = make_price_table(env.model_prices, models=[env.gemini_model])
    return {
        "class": "coaching.providers.google.gemini.GeminiCoach",
        "options": {
            "model": env.gemini_model,
            "project": env.google_cloud_project,
            "location": env.gemini_location,
            "api_key": "" if env.google_cloud_project else env.gemini_api_key,
            "endpoint": env.google_endpoints.get("gemini", ""),
            "price": prices[env.gemini_model],
            "thinking_level": env.gemini_thinking_level,
            "quick_thinking_level": env.gemini_quick_thinking_level,
            "fps": env.gemini_video_fps,
            "media_resolution": env.gemini_media_resolution,
        },
        "limit": {"key": env.gemini_model, "rate": "300/minute"},
    }


def _require_settings(env: Env) -> None:
    unknown = sorted(env.google_endpoints.keys() - set(ENDPOINTS))
    if unknown:
        raise ImproperlyConfigured(f"GOOGLE_ENDPOINTS: no such service: {', '.join(unknown)}; there are {ENDPOINTS}")
    missing = [f"  {name.upper()}: {source}" for name, source in NEEDED.items() if not getattr(env, name)]
    if missing:
        raise ImproperlyConfigured("GOOGLE_CLOUD_PROJECT is set, and these are missing:\n" + "\n".join(missing))
