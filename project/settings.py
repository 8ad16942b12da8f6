"""Django's settings: one file for every deployment; what differs comes from the environment (`project.env`)."""

from datetime import timedelta
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import django_stubs_ext
from csp import constants as csp

import project.celery  # noqa: F401 - shared tasks bind to this application in every process that knows the settings
from project.env import PROJECT_FOLDER, load_env, read_or_make_secret_key
from project.google_providers import describe_google_providers
from project.logs import describe_logging

django_stubs_ext.monkeypatch()

env = load_env()
BASE_DIR = PROJECT_FOLDER
VAR_DIR = env.var_folder

SECRET_KEY = env.django_secret_key or read_or_make_secret_key(VAR_DIR)
DEBUG = env.django_debug
ALLOWED_HOSTS = [host.strip() for host in env.allowed_hosts.split(",") if host.strip()]
CSRF_TRUSTED_ORIGINS = [o.strip() for o in env.csrf_trusted_origins.split(",") if o.strip()]
PUBLIC_URL = env.public_url
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "coaching.apps.OperatorsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_celery_results",
    "django_htmx",
    "coaching",
]
MIDDLEWARE = [
    "coaching.web.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "coaching.web.headers.PolicyMiddleware",
    "coaching.web.headers.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "coaching.web.page_errors.PageErrorsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "coaching.web.pages.describe_site",
            ],
            "builtins": ["coaching.web.template_tags"],
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "project.static_files.StaticStorage"},
}

# --- what a browser may load (coaching.web.headers writes it) -----------------------------------------------------

MEDIA_ORIGINS = [origin.strip() for origin in env.media_origins.split(",") if origin.strip()]
if env.google_storage_bucket and not MEDIA_ORIGINS:
    MEDIA_ORIGINS = ["https://storage.googleapis.com"]
_MEDIA_SOURCES = [csp.SELF, *MEDIA_ORIGINS]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.SELF],
        # A nonce for each script tag; modules may import others. Uploads are served from this origin: never 'self'.
        "script-src": [csp.NONCE, csp.STRICT_DYNAMIC],
        "style-src": [csp.SELF],
        "img-src": [*_MEDIA_SOURCES, "data:", "blob:"],
        "media-src": [*_MEDIA_SOURCES, "blob:"],
        "connect-src": _MEDIA_SOURCES,
        "worker-src": [csp.SELF],
        "object-src": [csp.NONE],
        "frame-src": [csp.NONE],
        "frame-ancestors": [csp.NONE],
        "base-uri": [csp.NONE],
        "form-action": [csp.SELF],
    }
}
# Django's admin puts no nonce on its scripts; all of them are files of this origin.
ADMIN_SCRIPT_SOURCES = [csp.SELF, csp.NONCE]

# --- data -----------------------------------------------------------------------------------------------------------


def _read_database_url(url: str) -> dict[str, Any]:
    """Django's form of a postgres URL. Without one nothing can connect: `embedded.ensure()` sets it beforehand."""
    parts = urlsplit(url or "postgres://embedded-servers-not-started@127.0.0.1:1/none")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "moment-clone"},
    }


DATABASES = {"default": _read_database_url(env.database_url)}
REDIS_URL = env.redis_url or "redis://127.0.0.1:1/0"

# --- accounts -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "coaching.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_HSTS_SECONDS = 365 * 86400 if SESSION_COOKIE_SECURE else 0
CSRF_FAILURE_VIEW = "coaching.web.page_errors.answer_csrf_failure"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/dashboard/"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = 3600
VERIFICATION_LIFETIME = timedelta(days=3)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SESSION_COOKIE_SECURE else None

# Who runs this installation, as the legal pages must say. Empty ones are shown as not filled in.
OPERATOR = {
    "name": env.operator_name,
    "representative": env.operator_representative,
    "address": env.operator_address,
    "phone": env.operator_phone,
    "email": env.operator_email,
}
PRICE_MONTHLY_YEN = env.price_monthly_yen
PROCESSING_REGION = env.google_cloud_region if env.google_cloud_project else ""

# How often one address may try (coaching.throttles).
ATTEMPT_RATES = {"login": "10/minute", "register": "20/hour", "mail": "10/hour"}

# --- language and time ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "ja"
TIME_ZONE = "Asia/Tokyo"
USE_I18N = True
USE_TZ = True

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["coaching.api.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["coaching.api.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "coaching.api.schema.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "coaching.api.errors.handle_exception",
    "DEFAULT_PAGINATION_CLASS": "coaching.api.pagination.NewestFirstPagination",
    "PAGE_SIZE": 50,
    "NUM_PROXIES": env.trusted_proxies,  # how many entries of X-Forwarded-For are ours; without it anyone could lie
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Moment Clone API",
    "VERSION": "1",
    "SERVE_PUBLIC": False,
    "SERVE_INCLUDE_SCHEMA": False,
}

# --- Celery (reasons: ARCHITECTURE.md, "Durable runs") -------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": env.visibility_timeout_seconds,  # one value for every process that shares the broker
    "unacked_restore_interval": 30,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = False
CELERY_RESULT_EXPIRES = timedelta(days=7)
CELERY_TASK_IGNORE_RESULT = True
CELERY_DB_REUSE_MAX = 200
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 5400
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
STAGE_QUEUES = {
    "inspect": "media",
    "listen": "llm",
    "analyse": "llm",
    "retrieve": "llm",
    "script": "llm",
    "narrate": "llm",
    "compose": "media",
    "deliver": "default",
}
CELERY_TASK_ROUTES = {
    **{f"tasks.stages.{stage}": {"queue": queue} for stage, queue in STAGE_QUEUES.items()},
    "tasks.upkeep.*": {"queue": "upkeep"},
    "tasks.chat.*": {"queue": "chat"},
    "celery.backend_cleanup": {"queue": "upkeep"},  # Celery's own, which beat sends once a day
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = env.worker_soft_shutdown_seconds
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 50
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "run" / "beat-schedule")

# Pools of threads know no time limit: every stage has its own, below that of Celery and the visibility timeout.
STAGE_TIME_LIMITS_SECONDS: dict[str, float] = {
    "inspect": 900,
    "listen": 900,
    "analyse": 3600,
    "retrieve": 300,
    "script": 900,
    "narrate": 900,
    "compose": 5000,
    "deliver": 300,
    **{str(stage): seconds for stage, seconds in env.stage_time_limits_seconds.items()},
}
STAGE_LEASE_SECONDS = env.stage_lease_seconds
WATCHDOG_PERIOD_SECONDS = env.watchdog_period_seconds
REPUBLISH_AFTER_SECONDS = env.republish_after_seconds
REPUBLISH_HARD_AGE_SECONDS = env.republish_hard_age_seconds
STAGE_MAX_ATTEMPTS = env.stage_max_attempts
STAGE_MAX_EVICTIONS = env.stage_max_evictions
STAGE_RETRY_BASE_SECONDS = env.stage_retry_base_seconds
STAGE_RETRY_CAP_SECONDS = env.stage_retry_cap_seconds
STUCK_RUN_SECONDS = env.stuck_run_seconds

# --- chat -----------------------------------------------------------------------------------------------------------

CHAT_MESSAGE_MAX_CHARACTERS = env.chat_message_max_characters
CHAT_HISTORY_MESSAGES = env.chat_history_messages
CHAT_QUESTIONS_PER_HOUR = env.chat_questions_per_hour
CHAT_LEASE_SECONDS = env.chat_lease_seconds
CHAT_ANSWER_SECONDS = env.chat_answer_seconds
CHAT_MAX_ATTEMPTS = env.chat_max_attempts
# Polls that wait for news hold a thread of the web process: as many as leave a third of them to everybody else.
CHAT_HELD_POLLS = max(1, env.web_threads * 2 // 3)
CHAT_HOLD_SECONDS = 5.0

# --- providers ------------------------------------------------------------------------------------------------------

MODEL_CACHE_DIR = env.model_cache_folder or VAR_DIR / "models"
MEDIA_ROOT = VAR_DIR / "objects"
WORK_DIR = VAR_DIR / "work"
_VOICES = {
    "kokoro": "coaching.providers.local.kokoro.KokoroVoice",
    "openjtalk": "coaching.providers.local.openjtalk.OpenJTalkVoice",
}
LOCAL_PROVIDERS: dict[str, dict[str, Any]] = {
    "coach": {
        "class": "coaching.providers.local.signal_coach.SignalCoach",
        "options": {"cache_folder": MODEL_CACHE_DIR},
    },
    "speech_to_text": {
        "class": "coaching.providers.local.whisper.WhisperRecogniser",
        "options": {"cache_folder": MODEL_CACHE_DIR},
    },
    "text_to_speech": {"class": _VOICES[env.voice], "options": {"cache_folder": MODEL_CACHE_DIR}},
    "principle_index": {
        "class": "coaching.providers.local.principle_index.LocalPrincipleIndex",
        "options": {"cache_folder": MODEL_CACHE_DIR, "index_folder": VAR_DIR / "index"},
    },
    "object_store": {
        "class": "coaching.providers.local.file_store.FileStore",
        "options": {"root": MEDIA_ROOT, "secret": SECRET_KEY, "base_path": "/media/"},
    },
}
GOOGLE_PROVIDERS = describe_google_providers(env, redis_url=REDIS_URL)
PROVIDERS = LOCAL_PROVIDERS | GOOGLE_PROVIDERS
FILM_ENCODER: Literal["libx264", "h264_nvenc"] = env.film_encoder
FILM_PRESET = env.film_preset

# --- money ----------------------------------------------------------------------------------------------------------

DAILY_BUDGET_USD = env.daily_budget_usd
LEARNER_DAILY_BUDGET_USD = env.learner_daily_budget_usd
BUDGET_USED_UP = env.budget_used_up

# --- what a learner may send ----------------------------------------------------------------------------------------

VIDEO_MIN_SECONDS = env.video_min_seconds
VIDEO_MAX_SECONDS = env.video_max_seconds
VIDEO_MAX_BYTES = env.video_max_bytes
MEMO_MAX_SECONDS = env.memo_max_seconds
MEMO_MAX_BYTES = env.memo_max_bytes
UPLOAD_LIFETIME = timedelta(seconds=env.upload_lifetime_seconds)
SIGNED_URL_LIFETIME = timedelta(seconds=env.signed_url_lifetime_seconds)
RAW_MEDIA_RETENTION = timedelta(days=env.raw_media_retention_days)
DATA_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024**2  # one chunk of an upload (8 MiB) and its headers
FILE_UPLOAD_TEMP_DIR = WORK_DIR / "uploads"  # own folder: upkeep sweeps what interrupted uploads leave
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# --- mail -----------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.default_from_email
if env.email_url:
    _mail = urlsplit(env.email_url)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "", _mail.port or 587
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
    EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp"
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "mail"

# --- operators ------------------------------------------------------------------------------------------------------

METRICS_TOKEN = env.metrics_token

# --- logs -----------------------------------------------------------------------------------------------------------

LOGGING = describe_logging(level=env.log_level, log_format=env.log_format)
