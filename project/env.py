"""The environment, parsed strictly: a wrong or missing variable stops the boot and says its name, form and source.

Every variable of the product is a field here; `.env.example` lists them with examples. Nothing else reads os.environ,
but `project.embedded` and `project.processes`, which hand variables to their children.
"""

import re
import secrets
from pathlib import Path
from typing import Annotated, Literal

from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

PROJECT_FOLDER = Path(__file__).resolve().parent.parent

StageName = Literal["inspect", "listen", "analyse", "retrieve", "script", "narrate", "compose", "deliver"]


class Env(BaseSettings):
    """Names are upper-cased: `database_url` is `DATABASE_URL`. Seconds, bytes and days are in the names."""

    model_config = SettingsConfigDict(env_file=PROJECT_FOLDER / ".env", extra="ignore", frozen=True)

    # Servers. Empty: the embedded ones (`project.embedded` sets both and EMBEDDED for its children).
    database_url: str = Field("", pattern=r"^(postgres(ql)?://.+)?$")
    redis_url: str = Field("", pattern=r"^(rediss?://.+)?$")
    embedded: bool = False

    # Django
    django_secret_key: str = Field("", description="50 or more random characters")
    django_debug: bool = False
    allowed_hosts: str = Field("127.0.0.1,localhost", description="comma-separated host names")
    public_url: str = Field("", pattern=r"^(https?://[^/]+)?$", description="where learners reach the web app")
    csrf_trusted_origins: str = ""
    media_origins: str = Field(
        "",
        pattern=r"^(https://[^/,\s]+(,\s*https://[^/,\s]+)*)?$",
        description="origins, by comma, from which browsers load films where these do not come from the web process",
    )
    trusted_proxies: int = Field(0, ge=0, description="proxies in front of the web process that add X-Forwarded-For")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["line", "json"] = "line"
    var_folder: Path = PROJECT_FOLDER / "var"

    # Celery
    stage_lease_seconds: float = Field(60, gt=0)
    watchdog_period_seconds: float = Field(5, gt=0)
    republish_after_seconds: float = Field(60, gt=0)
    republish_hard_age_seconds: float = Field(900, gt=0)
    stage_max_attempts: int = Field(6, ge=1)
    stage_max_evictions: int = Field(10, ge=1)
    stage_retry_base_seconds: float = Field(5, gt=0)
    stage_retry_cap_seconds: float = Field(300, gt=0)
    stage_time_limits_seconds: dict[StageName, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description='JSON, for the stages that differ from the default: {"compose": 6000}'
    )
    stuck_run_seconds: float = Field(1800, gt=0, description="a run in which nothing happened for so long is stuck")
    visibility_timeout_seconds: int = Field(7200, ge=1)
    worker_soft_shutdown_seconds: float = Field(30, ge=0)
    worker_ready_file: str = ""
    metrics_token: str = Field("", pattern=r"^(\S{16,})?$", description="bearer token of /metrics")
    flower_user: str = "operator"
    flower_password: str = Field(
        "", description="of Flower's login; `make up` and `make demo` draw one where it is empty"
    )

    # Processes of `make up` and `make demo`. Port 0: the usual one (8000, 5555), or a free one where that is taken.
    web_port: int = Field(0, ge=0, le=65535)
    web_threads: int = Field(16, ge=1)
    flower_port: int = Field(0, ge=0, le=65535)
    chat_threads: int = Field(8, ge=1)

    # Chat
    chat_message_max_characters: int = Field(1000, ge=1)
    chat_history_messages: int = Field(12, ge=0, description="how many earlier messages the coach reads")
    chat_questions_per_hour: int = Field(40, ge=1)
    chat_lease_seconds: float = Field(12, gt=0)
    chat_answer_seconds: float = Field(60, gt=0, description="how long one answer may take to be written")
    chat_max_attempts: int = Field(4, ge=1)

    # Providers
    voice: Literal["kokoro", "openjtalk"] = "kokoro"
    model_cache_folder: Path | None = None
    ffmpeg_binary: str = ""
    film_encoder: Literal["libx264", "h264_nvenc"] = "libx264"
    film_preset: str = "veryfast"

    # Google. Without a project the local engines serve every port. `project.google_providers` says what needs what
    google_cloud_project: str = ""
    google_cloud_region: str = Field("asia-northeast1", pattern=r"^[a-z0-9-]+$")
    google_storage_bucket: str = ""
    google_signing_account: str = Field(
        "",
        pattern=r"^(\S+@\S+)?$",
        description="e-mail of the service account that signs links, if not its own",
    )
    google_vector_index: str = Field("", pattern=r"^(projects/[^/]+/locations/[^/]+/indexes/[^/]+)?$")
    google_vector_endpoint: str = Field("", pattern=r"^(projects/[^/]+/locations/[^/]+/indexEndpoints/[^/]+)?$")
    google_vector_deployed_index: str = ""
    google_vector_domain: str = Field("", description="the endpoint's publicEndpointDomainName")
    google_embedding_model: str = "gemini-embedding-2"
    gemini_api_key: str = Field("", repr=False, description="Developer API; used where there is no project")
    gemini_model: str = "gemini-3-flash-preview"
    gemini_location: str = Field("global", pattern=r"^[a-z0-9-]+$")
    gemini_thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"] = "MEDIUM"
    gemini_quick_thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH"] = "LOW"
    gemini_video_fps: float = Field(1, gt=0, le=24)
    gemini_media_resolution: Literal["LOW", "MEDIUM", "HIGH"] = "MEDIUM"
    google_speech_model: str = "chirp_3"
    google_voice: str = Field("ja-JP-Neural2-B", pattern=r"^ja-JP-\S+$")
    model_prices: dict[str, dict[str, float]] = Field({}, description="US dollars, as JSON; see project/prices.py")
    google_endpoints: dict[str, str] = Field({}, description="servers of this machine that stand for Google's, as JSON")

    # Money: US dollars of one day in Tokyo, 0 for no bound; what happens to runs when it is used up
    daily_budget_usd: float = Field(0, ge=0)
    learner_daily_budget_usd: float = Field(0, ge=0)
    budget_used_up: Literal["wait", "fail"] = "wait"

    # Limits of what a learner may send
    video_min_seconds: float = 3
    video_max_seconds: float = 45 * 60
    video_max_bytes: int = 4 * 1024**3
    memo_max_seconds: float = 3 * 60
    memo_max_bytes: int = 30 * 1024**2
    upload_lifetime_seconds: int = 24 * 3600
    signed_url_lifetime_seconds: int = Field(6 * 3600, gt=0, le=7 * 86400)
    raw_media_retention_days: int = 90

    # Who runs this installation: the legal pages say it (privacy, 特定商取引法)
    operator_name: str = ""
    operator_representative: str = ""
    operator_address: str = ""
    operator_phone: str = ""
    operator_email: str = ""
    price_monthly_yen: int | None = Field(None, ge=1, description="of the plan, tax included; empty: none is sold yet")

    # Mail
    email_url: str = Field("", pattern=r"^(smtps?://.+)?$", description="smtp://user:password@host:port")
    default_from_email: str = "Moment Clone <coach@localhost>"


def load_env() -> Env:
    """Parse the environment; raises `ImproperlyConfigured` naming every variable that is wrong."""
    try:
        env = Env()
    except ValidationError as error:
        lines = [f"  {str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        raise ImproperlyConfigured(
            "The environment is not usable:\n" + "\n".join(lines) + "\nSee .env.example for each variable's form."
        ) from error
    except SettingsError as error:  # a value that ought to be JSON and is not: one says which field, in lower case
        named = re.sub(r'field "(\w+)"', lambda field: field[1].upper(), str(error))
        raise ImproperlyConfigured(
            f"The environment is not usable:\n  {named}: it must be JSON\nSee .env.example for each variable's form."
        ) from error
    if env.database_url and not env.embedded and not env.django_secret_key:
        raise ImproperlyConfigured(
            "DJANGO_SECRET_KEY is missing: DATABASE_URL is set, so this is no embedded default. "
            "Set it to 50 or more random characters (python -c 'import secrets; print(secrets.token_urlsafe(50))')."
        )
    return env


def read_or_make_secret_key(folder: Path) -> str:
    """The embedded default's own key: made once, kept 0600 beside its data."""
    path = folder / "secret_key"
    try:
        return path.read_text()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"secret_key.{secrets.token_hex(8)}"
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(50))
    try:
        path.hardlink_to(draft)  # the first one wins, whoever else is starting
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()
