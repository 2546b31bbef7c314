"""Django that knows localhost alone."""

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="x" * 50,
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
)
django.setup()
# The host is looked at where a view or a middleware asks for it.
urlpatterns = [path("", lambda request: HttpResponse(request.get_host()))]
app = get_wsgi_application()
