"""Django settings. Every value a host may change is an environment variable, read by `env`.

The embedded default (no variables at all) is SQLite, the bundled Valkey, local speech and the
key-less agent, with everything it writes below `var/`.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url

from convonet import __version__, allotted, broker, env, prices, profiles, running, secret

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = __version__
VAR_DIR = Path(env.text("CONVONET_VAR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
running.adopt(VAR_DIR)

# --- How much of everything ------------------------------------------------------------------
PROFILE = allotted.profile()

# --- Who may come in ------------------------------------------------------------------------
PORT = env.integer("PORT", 8000, least=1, most=65_535)
# Read by `convonet.front_door`; looked at here, so that a wrong word stops the start.
SERVER = env.choice("SERVER", "daphne", ("daphne", "uvicorn"))
# On Render a web service is told its own address.
PUBLIC_URL = env.text("PUBLIC_URL") or env.text("RENDER_EXTERNAL_URL")
DEBUG = env.flag("DEBUG")
SECRET_KEY = secret.load_or_make(VAR_DIR / "secret_key", env.text("SECRET_KEY"))
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
if (_public_host := urlsplit(PUBLIC_URL).hostname) and _public_host not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(_public_host)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# Logs the first visitor on loopback in as `demo`; never when the service is published.
EMBEDDED_LOGIN = env.flag("CONVONET_EMBEDDED_LOGIN", default=not PUBLIC_URL)
DEMO_USERNAME = "demo"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
if SESSION_COOKIE_SECURE:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True

# --- Applications ---------------------------------------------------------------------------
INSTALLED_APPS = [
    "convonet",
    "unfold",
    # The admin's modules are loaded by `convonet.admin_urls`: by a web process asked for them.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "todo",
    "voice",
    "phone",
    "monitor",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "convonet.web.admin_later.AdminLaterMiddleware",
    "convonet.embedded_login.EmbeddedLoginMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "convonet.urls"
ASGI_APPLICATION = "convonet.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
# Empty: pages' files are served from where they are; WhiteNoise warns if it is missing.
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True

# --- Database -------------------------------------------------------------------------------
DATABASES = {
    "default": dj_database_url.parse(
        env.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'convonet.sqlite3'}"),
        # Only asked of those that `convonet.database` keeps.
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets pages read while a worker writes; IMMEDIATE makes two writers queue instead of
    # failing half way with "database is locked". Whoever fills the log copies it into the database
    # and waits for the disk: a speech worker does so earlier (`convonet.database`). Each thread
    # that asks has a cache of its own (128 KiB; the file lies in the kernel's anyhow) and keeps few
    # statements compiled, of 10 KB each, which take 0.05 ms to compile.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "cached_statements": 16,
        "timeout": 10,
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
            "PRAGMA busy_timeout=10000;PRAGMA cache_size=-128;"
            "PRAGMA wal_autocheckpoint=4000;"
        ),
    }
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}

# --- Language and time ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_TZ = True
# Of people who have not told us theirs; the page and `manage.py call` send the caller's own.
TIME_ZONE = env.text("TIME_ZONE", "UTC")

# --- Broker and workers ---------------------------------------------------------------------
# Nobody but this product's services is on the network between them (it says who may do without a
# password there).
PRIVATE_NETWORK = env.flag("PRIVATE_NETWORK")
REDIS_URL = env.text("REDIS_URL") or broker.url(6379, secret.derive(SECRET_KEY, "broker"))
KEY_PREFIX = "convonet:"
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 40
CELERY_TASK_TIME_LIMIT = 45
# Just above the hard time limit: a message unacknowledged for longer belongs to a dead worker. Also
# while a child works on many (`workers.lanes`): it acknowledges each as it ends.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60, "socket_keepalive": True}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_TASK_DEFAULT_QUEUE = "agent"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TIMEZONE = "UTC"
AGENT_CHILDREN = env.integer("AGENT_CHILDREN", PROFILE.agent_children, least=1, most=64)
SPEECH_CHILDREN = env.integer("SPEECH_CHILDREN", PROFILE.speech_children, least=1, most=64)
# Worked on by one child at a time: a turn mostly waits for a model.
TURNS_PER_CHILD = env.integer("TURNS_PER_CHILD", PROFILE.turns_per_child, least=1, most=64)
# A child is replaced after a task once it has grown by so much, and cannot grow beyond the ceiling.
CHILD_HEADROOM_MB = env.integer("CHILD_HEADROOM_MB", PROFILE.child_headroom_mb, least=16)
CHILD_CEILING_MB = env.integer("CHILD_CEILING_MB", PROFILE.child_ceiling_mb, least=64)
# How far the tool server may grow beyond its size at the start before a tool fails.
MCP_CEILING_MB = env.integer("MCP_CEILING_MB", PROFILE.mcp_ceiling_mb, least=32)
# The agent worker's parent forks the tool server, which then shares its pages; else it is a program
# of its own (`manage.py mcp`).
TOOLS_IN_WORKER = env.flag("TOOLS_IN_WORKER")
# Agent workers begin what is due by the clock, each thing once per deployment.
SCHEDULE = env.flag("SCHEDULE", default=True)
# By so much workers give way to what carries the sound (nice(2)), whose waiting is heard.
WORKER_NICE = env.integer("WORKER_NICE", 5, least=0, most=19)
# After so long without tasks and calls a speech child's engines go, and with them the child.
SPEECH_IDLE_SECONDS = env.seconds("SPEECH_IDLE_SECONDS", 120.0, least=1.0)
# The same of an agent child, which is ready again sooner.
AGENT_IDLE_SECONDS = env.seconds("AGENT_IDLE_SECONDS", 30.0, least=1.0)
# What people and businesses chose (models, voices, tools) a child has open at most so many of, and
# closes what nobody wanted for so long; the server's own first choice stays.
SERVICES_OPEN = env.integer("SERVICES_OPEN", 16, least=1, most=1000)
SERVICE_IDLE_SECONDS = env.seconds("SERVICE_IDLE_SECONDS", 600.0, least=1.0, most=86_400.0)
# While nobody calls, workers keep no children (an agent one where its parent keeps the clock).
SHRINK_WHEN_IDLE = env.flag("SHRINK_WHEN_IDLE", default=True)
# What is kept for how long: calls with their turns, and the answers to repeated tool calls.
CALL_RETENTION_DAYS = env.integer("CALL_RETENTION_DAYS", 90, least=1)
TOOL_REQUEST_RETENTION_DAYS = env.integer("TOOL_REQUEST_RETENTION_DAYS", 7, least=1)
# How often the memory of all processes is looked at, and how long what was seen is kept.
MEMORY_SAMPLE_SECONDS = env.seconds("MEMORY_SAMPLE_SECONDS", 30.0, least=1.0, most=3600.0)
MEMORY_HOURS = env.integer("MEMORY_HOURS", 48, least=1, most=24 * 90)
METRICS_USER = "metrics"
METRICS_TOKEN = secret.derive(SECRET_KEY, "metrics")

# --- Agent and speech -----------------------------------------------------------------------
# Short names from `convonet.providers` or dotted paths, in order: the first is the default, the
# next ones answer when it fails. Only what is named here is ever imported.
LANGUAGE_MODELS = env.words("LANGUAGE_MODEL", ["local"])
TRANSCRIBERS = env.words("TRANSCRIBER", ["local"])
# Deepgram hears while the caller speaks, by one socket per call, where it is the first of these.
DEEPGRAM_LIVE = env.flag("DEEPGRAM_LIVE", default=True)
SYNTHESIZERS = env.words("SYNTHESIZER", ["pico"])
# Engines that compute here have workers of their own; asking a service is waiting, as a turn is.
HEARING_QUEUE = "speech" if profiles.computes_speech(TRANSCRIBERS) else "agent"
SPEAKING_QUEUE = "speech" if profiles.computes_speech(SYNTHESIZERS) else "agent"
CELERY_TASK_ROUTES = {
    "workers.tasks.transcribe": {"queue": HEARING_QUEUE},
    "workers.tasks.speak": {"queue": SPEAKING_QUEUE},
    "workers.tasks.speak_reminder": {"queue": SPEAKING_QUEUE},
    "workers.tasks.speak_sample": {"queue": SPEAKING_QUEUE},
    "workers.tasks.get_ready": {"queue": "speech"},
    "workers.tasks.join_recordings": {"queue": "chores"},
    "workers.tasks.delete_old_records": {"queue": "chores"},
    "workers.tasks.run_turn_alone": {"queue": "chores"},
    "workers.tasks.stand_by": {"queue": "chores"},
}
# What the local grammar is sure of is answered by it, and costs no model call.
PREFER_LOCAL = env.flag("PREFER_LOCAL")
# The host's own prices, which come before the list prices of `convonet.prices`.
PROVIDER_PRICES = prices.parse(env.text("PROVIDER_PRICES"))
# One answer of a model, from the request to its last word.
MODEL_DEADLINE_SECONDS = env.seconds("MODEL_DEADLINE_SECONDS", 12.0, least=0.5, most=30.0)
TURN_DEADLINE_SECONDS = env.seconds("TURN_DEADLINE_SECONDS", 30.0, least=1.0, most=35.0)
TOOL_DEADLINE_SECONDS = env.seconds("TOOL_DEADLINE_SECONDS", 10.0, least=0.5, most=30.0)
MCP_PORT = env.integer("MCP_PORT", 8001, least=1, most=65_535)
# Where the tool server is reached, and where it listens: on loopback, or on a private network.
MCP_ADDRESS = env.text("MCP_ADDRESS") or f"127.0.0.1:{MCP_PORT}"
MCP_URL = env.text("MCP_URL") or f"http://{MCP_ADDRESS}/mcp"
MCP_BIND = env.text("MCP_BIND") or "127.0.0.1"
MCP_TOKEN = secret.derive(SECRET_KEY, "mcp")

# What tools there are, by dotted path: the person's own, and those of the telephone.
TOOLSETS = ["todo.tools.catalogue.TOOLS", "phone.tools.TOOLS", *env.words("EXTRA_TOOLSETS", [])]
# soxr's quality between a call's rate and an engine's (docs/speech.md).
RESAMPLE_QUALITY = env.choice(
    "RESAMPLE_QUALITY", PROFILE.resample_quality, ["low", "medium", "high", "best"]
)
# Does anything of the above compute here? Otherwise the agent worker asks, and no other one runs.
SPEECH_WORKER = profiles.computes_speech([*TRANSCRIBERS, *SYNTHESIZERS])
# Speech to speech: `openai` has its Realtime API hold the conversation; empty has our own parts.
REALTIME = env.choice("REALTIME", "", ["", "openai"])

# --- Telephone ------------------------------------------------------------------------------
# Without a token there is no telephone: its addresses answer 404.
TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = env.text("TWILIO_AUTH_TOKEN")
# The number that reminders call from.
TWILIO_NUMBER = env.text("TWILIO_NUMBER")
TWILIO_API_URL = env.text("TWILIO_API_URL", "https://api.twilio.com")
PHONE_GREETING = env.text("PHONE_GREETING", "Hello, this is Convonet.")

# --- Recordings -----------------------------------------------------------------------------
RECORDING_CONSENT = env.text("RECORDING_CONSENT", "This call is recorded.")
RECORDING_RETENTION_DAYS = env.integer("RECORDING_RETENTION_DAYS", 30, least=1)
RECORDINGS_BUCKET = env.text("RECORDINGS_BUCKET")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "recordings": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR_DIR / "recordings"), "file_permissions_mode": 0o600},
    },
}
if RECORDINGS_BUCKET:
    # Keys and region are boto3's own variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, …).
    STORAGES["recordings"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": RECORDINGS_BUCKET,
            "endpoint_url": env.text("RECORDINGS_ENDPOINT") or None,
            "default_acl": None,
            "querystring_auth": True,
            "file_overwrite": True,
        },
    }

# --- Flower ---------------------------------------------------------------------------------
FLOWER = env.choice("FLOWER", PROFILE.flower, ["always", "demand"])
FLOWER_PORT = env.integer("FLOWER_PORT", 5555, least=1, most=65_535)
FLOWER_ADDRESS = env.text("FLOWER_ADDRESS", "127.0.0.1")
FLOWER_USER = "operator"
FLOWER_PASSWORD = secret.derive(SECRET_KEY, "flower")[:20]

# --- Admin ----------------------------------------------------------------------------------
_TEAL = {
    "50": "oklch(98.4% .014 180.72)",
    "100": "oklch(95.3% .051 180.801)",
    "200": "oklch(91% .096 180.426)",
    "300": "oklch(85.5% .138 181.071)",
    "400": "oklch(77.7% .152 181.912)",
    "500": "oklch(60% .118 184.704)",
    "600": "oklch(51.1% .096 186.391)",
    "700": "oklch(43.7% .078 188.216)",
    "800": "oklch(38.6% .063 188.416)",
    "900": "oklch(33% .055 190)",
    "950": "oklch(27.7% .046 192.524)",
}
UNFOLD = {
    # The page's own colour.
    "COLORS": {"primary": _TEAL},
    "SITE_TITLE": "Convonet",
    "SITE_HEADER": "Convonet",
    "SITE_SUBHEADER": "Calls, todos and what was done",
    "SITE_SYMBOL": "graphic_eq",
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "convonet.admin_site.dashboard",
    "STYLES": ["convonet.admin_site.style"],
    "SIDEBAR": {"show_search": False, "navigation": "convonet.admin_site.navigation"},
}

# --- Calls ----------------------------------------------------------------------------------
# In all web processes together.
MAX_CALLS = env.integer("MAX_CALLS", PROFILE.max_calls, least=1, most=10_000)
MAX_CALLS_PER_USER = env.integer("MAX_CALLS_PER_USER", 8, least=1, most=10_000)
# New calls are taken while less than this share of the allowance is, or is about to be, in use.
ADMIT_BELOW_PERCENT = env.integer(
    "ADMIT_BELOW_PERCENT", profiles.ADMIT_BELOW_PERCENT, least=1, most=100
)
CALL_RESERVE_KB = env.integer("CALL_RESERVE_KB", PROFILE.call_reserve_kb, least=1, most=1024**2)
# As long as Twilio keeps a call up.
MAX_CALL_SECONDS = env.seconds("MAX_CALL_SECONDS", 14_400.0, least=10.0)
ENDPOINT_SILENCE_MS = env.integer("ENDPOINT_SILENCE_MS", 600, least=200, most=3000)

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"fields": {"()": "convonet.logging.FieldFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "fields"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        name: {"level": LOG_LEVEL}
        for name in ("convonet", "todo", "voice", "phone", "monitor", "workers", "celery")
    },
}
