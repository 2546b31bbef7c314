"""Each framework's test client, with a gateway and the adapter behind it."""

from lambda_between import asgi, wsgi


def werkzeug() -> None:
    """Put them behind Werkzeug's client, and Flask's."""
    from werkzeug.test import Client

    run = Client.run_wsgi_app

    def run_wsgi_app(self, environ, buffered=False):
        app, self.application = self.application, wsgi.Between(self.application)
        try:
            return run(self, environ, buffered)
        finally:
            self.application = app

    Client.run_wsgi_app = run_wsgi_app


def starlette() -> None:
    """Put them behind Starlette's client, and FastAPI's."""
    from starlette.testclient import _TestClientTransport

    init = _TestClientTransport.__init__

    def __init__(self, app, *args, **kwargs):  # noqa: N807 - it is that method
        init(self, asgi.Between(app), *args, **kwargs)

    _TestClientTransport.__init__ = __init__


def webob() -> None:
    """Put them behind WebOb's requests, and with them behind WebTest's client."""
    from webob.request import BaseRequest

    call = BaseRequest.call_application

    def call_application(self, application, catch_exc_info=False):
        return call(self, wsgi.Between(application), catch_exc_info)

    BaseRequest.call_application = call_application


def falcon() -> None:
    """Put them behind Falcon's simulated requests, of either interface.

    Under WSGI its client has a validator in front of the application. The adapter is in
    front of both, so that it is the adapter's calls which are validated.
    """
    from wsgiref import validate

    from falcon.testing import client

    validator, simulate_asgi = validate.validator, client._simulate_request_asgi

    def simulate_request_asgi(app, *args, **kwargs):
        return simulate_asgi(asgi.Between(app), *args, **kwargs)

    validate.validator = lambda app: wsgi.Between(validator(app))
    client._simulate_request_asgi = simulate_request_asgi


def django() -> None:
    """Put them behind Django's two clients."""
    from lambda_between import django_clients

    django_clients.put_between()
