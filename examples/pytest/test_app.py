"""The shop as it is on Lambda: behind an HTTP API, and at the end of a queue."""

import pytest

COMMAND = "gunicorn --no-control-socket --timeout 0 app:app"


@pytest.fixture(scope="module")
def shop(lambda_app_factory):
    """Start the shop once for all tests."""
    return lambda_app_factory(COMMAND, gateway="http-api", env={"SHOP": "test"})


def test_page(shop):
    """A visitor gets a page and a cookie."""
    response = shop.get("/orders", params={"page": 2})

    assert response.json()["page"] == "2"
    assert response.cookies["visited"] == "yes"
    assert shop.last.event["rawQueryString"] == "page=2"
    assert shop.last.duration_ms < 3000


def test_queue(shop):
    """An order of the queue is taken, and shown."""
    invocation = shop.invoke({"Records": [{"body": "7"}]})

    assert invocation.reply == {"batchItemFailures": []}
    assert "1 orders taken" in invocation.lines
    assert {"id": "7"} in shop.get("/orders").json()["orders"]


def test_bad_message(shop):
    """A message that can't be read fails the invocation: the queue sends it again."""
    assert shop.invoke({"Records": [{}]}).failure


def test_client_can_not_send_messages(shop):
    """What is the queue's to send, a client may not."""
    assert shop.post("/events", json={"Records": []}).status_code == 403


@pytest.mark.parametrize("gateway", ["rest-api", "alb", "function-url"])
def test_every_way_in(lambda_app, gateway):
    """The page is the same behind every gateway."""
    app = lambda_app(COMMAND, gateway=gateway)

    assert app.get("/orders?page=3").json()["page"] == "3"
