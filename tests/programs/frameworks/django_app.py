"""Django, by ASGI and by WSGI, with a database and middleware of both kinds."""

import asyncio
import sys

import django
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import (
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path, re_path

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    LOGGING_CONFIG=None,
    MIDDLEWARE=[
        "django.middleware.common.CommonMiddleware",
        "django_app.middleware",
    ],
    ROOT_URLCONF="django_app",
    SECRET_KEY="a key",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
)
sys.modules.setdefault("django_app", sys.modules[__name__])


def middleware(get_response):
    """Be middleware that is not a coroutine."""

    def run(request):
        response = get_response(request)
        response["x-middleware"] = "was here"
        return response

    return run


def hello(request):
    return HttpResponse("Hello, yes", content_type="text/plain")


async def echo(request, rest=""):
    return JsonResponse(
        {
            "method": request.method,
            "url": request.build_absolute_uri(),
            "query": sorted(request.GET.lists()),
            "body": request.body.decode("latin-1"),
            "header": request.headers.get("x-test"),
        }
    )


def stream(request):
    pieces = (f"piece {number}\n" for number in range(3))
    return StreamingHttpResponse(pieces, content_type="text/plain")


def every_byte(request):
    return HttpResponse(bytes(range(256)), content_type="application/octet-stream")


def cookies(request):
    response = HttpResponse("Two cookies")
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return response


def redirect(request):
    return HttpResponseRedirect("/")


def error(request):
    raise ValueError("a secret reason")


def empty(request):
    return HttpResponse(status=204)


def rows():
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 + 1")
        return cursor.fetchone()[0]


async def later():
    await asyncio.sleep(0)
    return "later"


async def mixed(request):
    """Go from coroutines to threads and back."""
    both = [await sync_to_async(rows)(), await sync_to_async(async_to_sync(later))()]
    return JsonResponse({"both": both})


def events(request):
    return HttpResponse(request.body, content_type="application/json")


urlpatterns = [
    path("", hello),
    re_path(r"^echo/(.*)$", echo),
    path("stream", stream),
    path("bytes", every_byte),
    path("cookies", cookies),
    path("redirect", redirect),
    path("error", error),
    path("empty", empty),
    path("mixed", mixed),
    path("events", events),
]

django.setup()
asgi = get_asgi_application()
wsgi = get_wsgi_application()
