"""A Django application with SQLAlchemy that survives a snapshot of its process.

Everything that Lambda's SnapStart asks of an application is in the two hooks.
"""

import os
import random
import uuid

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from sqlalchemy import create_engine, text

settings.configure(
    ALLOWED_HOSTS=os.environ.get("ALLOWED_HOSTS", "*").split(","),
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("SECRET_KEY", "not a secret yet"),
)

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite://"), pool_pre_ping=True)
generator = random.Random()  # noqa: S311 - for what need not be secret
instance = {"id": "", "opened": 0}
"""What each environment must have of its own."""


def connect() -> None:
    """Open a connection before the first request, and count it."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    instance["opened"] += 1


def begin() -> None:
    """Make this environment one of its own."""
    generator.seed()  # from the system, which is seeded anew by a restore
    instance["id"] = str(uuid.uuid4())
    connect()


def index(request: HttpRequest) -> HttpResponse:
    """Show what would be the same in every environment without the hooks."""
    return JsonResponse({**instance, "random": generator.random()})


@csrf_exempt
def before(request: HttpRequest) -> HttpResponse:
    """Let go of what no snapshot holds: the peer would be gone."""
    if request.headers.get("x-amzn-lambda-context") != "null":
        return HttpResponseForbidden()
    engine.dispose()
    return HttpResponse(status=204)


@csrf_exempt
def after(request: HttpRequest) -> HttpResponse:
    """Connect and seed anew, once in each environment; all of it within 9.5 s."""
    if request.headers.get("x-amzn-lambda-context") != "null":
        return HttpResponseForbidden()
    begin()
    return HttpResponse(status=204)


urlpatterns = [
    path("", index),
    path("snapstart/before", before),
    path("snapstart/after", after),
]
begin()
app = get_wsgi_application()
