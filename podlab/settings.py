"""Every setting, from the environment.

Without any variable this is a learner's own machine: SQLite in var/, answers on localhost only, a secret key made on first run.
A hosted PodLab sets PODLAB_HOSTS and SECRET_KEY, and may set DATABASE_URL (PostgreSQL) and REDIS_URL (several processes).

    PODLAB_HOSTS    public host names, comma-separated; setting it means "hosted": HTTPS cookies, SECRET_KEY required
    PODLAB_LAN      names or addresses of this machine in a school's own network, comma-separated: answers there too, over plain HTTP
    PODLAB_PROXY    1 behind a reverse proxy that sets X-Forwarded-For and X-Forwarded-Proto itself
    PODLAB_DEBUG    1 for Django's debug pages and static files straight from static/ (never with PODLAB_HOSTS)
    PODLAB_LESSONS  folders with lessons of a teacher's own, beside ours, separated by colons
    PODLAB_DATA     directory for the SQLite file and the secret key (var/)
    XAPI_ENDPOINT   an xAPI store that hears what learners do, such as https://lrs.example.org/xapi; empty: none does
    XAPI_AUTH       the Authorization header for it
    PODLAB_ROOM     how many times the usual room a learner's cluster and its API clients have (1); suites of tests want 10
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from podlab import environment

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("PODLAB_DATA", BASE_DIR / "var"))

HOSTS = environment.words("PODLAB_HOSTS")
HOSTED = bool(HOSTS)
DEBUG = environment.switch("PODLAB_DEBUG")
if DEBUG and HOSTED:
    raise ImproperlyConfigured("PODLAB_DEBUG shows settings and source to visitors: not together with PODLAB_HOSTS")
BEHIND_PROXY = environment.switch("PODLAB_PROXY")

LESSON_DIRS = [Path(folder) for folder in os.environ.get("PODLAB_LESSONS", "").split(":") if folder]

SECRET_KEY = environment.secret_key(HOSTED, DATA_DIR)
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = HOSTS or ["localhost", "127.0.0.1", "[::1]", *environment.words("PODLAB_LAN")]
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in HOSTS]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "podlab.labs",
    "podlab.api",
    "lessons",
    "podlab.classroom",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "podlab.security.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "podlab.labs.middleware.NoLearnerMiddleware",
    "podlab.classroom.middleware.NoTeacherMiddleware",
]

ROOT_URLCONF = "podlab.urls"
ASGI_APPLICATION = "podlab.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

# Data
DATA_DIR.mkdir(parents=True, exist_ok=True)
DATABASES = {"default": environment.database(os.environ.get("DATABASE_URL", ""), DATA_DIR / "podlab.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "")
if REDIS_URL:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}
    REDIS_CACHE = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    CACHES = {"default": REDIS_CACHE, "pages": REDIS_CACHE}
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    LOCAL_CACHE = "django.core.cache.backends.locmem.LocMemCache"
    # Wrong passwords are counted in "default". It drops what is old when it is full, so what learners fill has a cache of its own.
    CACHES = {"default": {"BACKEND": LOCAL_CACHE, "OPTIONS": {"MAX_ENTRIES": 20_000}},
              "pages": {"BACKEND": LOCAL_CACHE, "LOCATION": "pages", "OPTIONS": {"MAX_ENTRIES": 600}}}

# A learner's session: no account, only a signed cookie that names the learner (podlab/labs/sessions.py).
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "podlab_session"
SESSION_COOKIE_AGE = 180 * 24 * 3600  # seconds: a term
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HOSTED
CSRF_COOKIE_NAME = "podlab_csrf"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token themselves (hx-headers on <body>)
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HOSTED
CSRF_FAILURE_VIEW = "podlab.pages.csrf_failure"
LEARNER_STARTS_PER_MINUTE = 120  # from one address: a class of forty behind one router starts together
LEARNER_RESUME_FAILURES_PER_MINUTE = 20  # wrong resume codes from one address

# Teachers sign in with a password (manage.py create_teacher); the same signed cookie names them.
LOGIN_URL = "teacher-sign-in"
LOGIN_REDIRECT_URL = "teacher"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
TEACHER_SIGN_IN_FAILURES_PER_MINUTE = 10  # wrong passwords from one address
JOIN_FAILURES_PER_MINUTE = 20  # wrong join codes from one address

# Statements to an xAPI store (podlab/classroom/xapi.py): learners are pseudonyms of this home page.
XAPI_ENDPOINT, XAPI_AUTH = os.environ.get("XAPI_ENDPOINT", ""), os.environ.get("XAPI_AUTH", "")
XAPI_HOME = f"https://{HOSTS[0]}" if HOSTED else "http://localhost"

# What one learner may have and do. One who asks for more is told so in the API server's own words, and no other learner feels it.
ROOM = environment.number("PODLAB_ROOM", 1.0, least=0.1, most=100.0)
LEARNER_OBJECTS = int(2_000 * ROOM)  # API objects in one cluster, all kinds together, Events not counted
LEARNER_PODS = int(300 * ROOM)  # in one cluster: three nodes hold 330
LEARNER_FILE_BYTES = 100_000  # of one manifest: reading it takes 0.1 s, in which nobody else is served
LEARNER_BODY_BYTES = 3 * LEARNER_FILE_BYTES  # of one request of a terminal: apply sends a manifest with itself as an annotation, quoted
LEARNER_FILES = 50  # on the learner's machine
LEARNER_WRITES_PER_SECOND, LEARNER_WRITES_BURST = 50, 600  # requests that one terminal makes: a file of 500 objects goes through
LEARNER_BYTES_PER_SECOND, LEARNER_BYTES_BURST = 50_000, 3_000_000  # of those requests' bodies
LEARNER_ACTS_PER_SECOND, LEARNER_ACTS_BURST = 10, 40  # what one page sends: lines, clicks, key strokes that ask for completion

# What the clients of one cluster's API may do, all together (podlab/api): kubectl, libraries, suites of tests.
API_REQUESTS_PER_SECOND, API_REQUESTS_BURST = 400 * ROOM, 2_000 * ROOM
API_WRITES_PER_SECOND, API_WRITES_BURST = 150 * ROOM, 3_000 * ROOM  # of those, what the journal keeps
API_BYTES_PER_SECOND, API_BYTES_BURST = 200_000 * ROOM, 12_000_000 * ROOM  # of the writes' bodies
API_BODY_BYTES = 1_572_864  # of one of them: etcd's --max-request-bytes
API_STREAMS = int(400 * ROOM)  # watches and followed logs that are open
API_SESSIONS = int(100 * ROOM)  # exec, attach and port-forward that are open

# Security headers
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    ]
)
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if HOSTED else 0
SECURE_SSL_REDIRECT = HOSTED and BEHIND_PROXY
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024  # bytes: above the 2 MB of manifest that the API server itself refuses politely
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# Language
LANGUAGE_CODE = "ko"
TIME_ZONE = "Asia/Seoul"
USE_I18N = True
USE_TZ = True

# Static files: static/build is made by esbuild, then collected under hashed names with a .gz beside each (make build).
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static" / "build"] if (BASE_DIR / "static" / "build").is_dir() else []
PLAIN, HASHED = "django.contrib.staticfiles.storage.StaticFilesStorage", "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": PLAIN if DEBUG else HASHED},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

# Logs name paths, counts and errors; never bodies, cookies, codes or keys.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "podlab.logs.Line", "fmt": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"short": {"()": "podlab.logs.WithoutTraceback"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("PODLAB_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django": {"level": "INFO", "propagate": True, "handlers": []},
        "django.security.DisallowedHost": {"filters": ["short"]},
        "django.db.backends": {"level": "WARNING"},  # its DEBUG lines carry the parameters of every query
        "daphne": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
    },
}
