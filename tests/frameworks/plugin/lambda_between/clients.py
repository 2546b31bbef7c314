"""Each framework's test client, with a gateway and the adapter behind it."""

from lambda_between import wsgi


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
