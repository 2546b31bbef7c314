"""A page with a form, and what shows how requests and responses get through."""

import base64
import json

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseForbidden,
    JsonResponse,
)
from django.shortcuts import redirect, render
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST


class Greeting(View):
    """A page that asks for a name, and remembers it in the session."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Greet."""
        name = request.session.get("name", "")
        return render(request, "greeter/greeting.html", {"name": name})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take the form, whose token the middleware has checked."""
        request.session["name"] = request.POST.get("name", "")[:100]
        return redirect("greeting")


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    """Return the request, byte for byte as the web server received it."""
    return JsonResponse(
        {
            "method": request.method,
            "target": request.META["RAW_URI"],
            "headers": list(request.headers.items()),
            "body": base64.b64encode(request.body).decode(),
        }
    )


def every_byte(request: HttpRequest) -> HttpResponse:
    """Return every byte: what is no text in any encoding that matters."""
    return HttpResponse(bytes(range(256)), content_type="application/octet-stream")


def cookies(request: HttpRequest) -> HttpResponse:
    """Set two cookies."""
    response = HttpResponse("Two cookies for you.\n", content_type="text/plain")
    response.set_cookie("first", "1")
    response.set_cookie("second", "2", httponly=True)
    return response


@csrf_exempt
@require_POST
def events(request: HttpRequest) -> HttpResponse:
    """Receive an event that is no HTTP request: from a queue, a schedule, a bucket.

    A client can POST here too, but the adapter lets only such events have this value.
    """
    if request.headers.get("x-amzn-request-context") != "null":
        return HttpResponseForbidden()
    return JsonResponse({"received": json.loads(request.body)})


def status(request: HttpRequest, code: int) -> HttpResponse:
    """Return the status asked for."""
    return HttpResponse(f"Status {code}.\n", status=code, content_type="text/plain")
