"""Django's settings, from two variables: SECRET_KEY and DOMAINS.

What each one means: https://docs.djangoproject.com/en/5.2/ref/settings/
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).parent.parent

DOMAINS = [name for name in os.environ.get("DOMAINS", "").split(",") if name]
"""Where clients reach the site by HTTPS; a dot in front means every subdomain."""

# The Host of a client is one of the domains. The Host of a readiness check and of an
# event that is not HTTP is 127.0.0.1, or what AWS_LWA_HOST says.
ALLOWED_HOSTS = [*DOMAINS, "127.0.0.1", "localhost"]

# Pages of these domains may send forms; those of the request's own Host may anyway.
# ".execute-api.eu-west-1.amazonaws.com" must not be listed: it has other people's APIs.
CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in DOMAINS if name[0] != "."]

# Gateways speak HTTPS to the client and set this field, whatever the client sent.
# gunicorn believes it as well, from 127.0.0.1; other servers may not.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(DOMAINS)

SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set: give the function a long random one. If each "
            "environment made its own, none could read the sessions of another."
        )
    SECRET_KEY = get_random_secret_key()  # for the desk, and for collectstatic

# Sessions are in signed cookies: no database, and every environment can read them.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

INSTALLED_APPS = ["django.contrib.staticfiles", "greeter"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "greeter.urls"
WSGI_APPLICATION = "greeter.wsgi.application"
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
]

# collectstatic fills it when the image is built, with hashes in the files' names.
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}

# Lambda takes events of 6 MB; Django's own limit is 2.5 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 6_291_556

TIME_ZONE = "UTC"  # Lambda's own; the default is Chicago's

# Without this, Django logs nothing where DEBUG is off: it would send mail.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
