"""The events that are handed out: an HTTP API's, as Lambda sends them."""

import base64
import json
import random
import time
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

HOST = "h7t8p9a0b1.execute-api.eu-central-1.amazonaws.com"
FUNCTION_URL = "h7t8p9a0b1c2d3e4f5g6h7i8j9k0l1m2.lambda-url.eu-central-1.on.aws"
CURL = "curl/8.9.1"
AGENTS = (
    CURL,
    "okhttp/4.12.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0",
)
TARGETS = (
    "/orders/{0}?repeat=one&repeat=two&redirect=https%3A%2F%2Fexample.com%2F{1}&flag",
    "/orders/{0}/items/{1}?expand=address&expand=lines&sort=-price&page={1}&flag",
    "/search?q=name+{0}&page={1}&sort=-price&lang=en&flag",
    "/users/{1}?fields=name&fields=address&token={0}&limit=100&flag",
    "/callback?code={0}{0}&state={1}&redirect=https%3A%2F%2Fexample.com%2Fa&scope=a+b",
)
CLIENTS = 100


def http_api(
    target: str = "/",
    body: bytes | None = None,
    *,
    is_binary: bool = False,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[str] = (),
    address: str = "192.0.2.10",
    agent: str = CURL,
    trace_id: str = "1-665f0c1a-0123456789abcdef01234567",
    request_id: str = "Kx1zTExampleID3=",
    milliseconds: int = 1717505220123,
    domain: str = HOST,
) -> bytes:
    """Return an event: a POST if it has a body, and a GET otherwise."""
    path, _, query = target.partition("?")
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        known = parameters.get(name)
        parameters[name] = value if known is None else f"{known},{value}"
    fields = {
        "accept": "*/*",
        "host": HOST,
        "user-agent": agent,
        "x-amzn-trace-id": f"Root={trace_id}",
        "x-forwarded-for": address,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        **(headers or {}),
    }
    if body is not None:
        fields |= {"content-length": str(len(body)), "content-type": "application/json"}
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": dict(sorted(fields.items())),
        "queryStringParameters": parameters,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": HOST.partition(".")[0],
            "domainName": domain,
            "domainPrefix": HOST.partition(".")[0],
            "http": {
                "method": "GET" if body is None else "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": address,
                "userAgent": agent,
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime(
                "%d/%b/%Y:%H:%M:%S +0000", time.gmtime(milliseconds // 1000)
            ),
            "timeEpoch": milliseconds,
        },
        "body": (base64.b64encode(body or b"") if is_binary else body or b"").decode(),
        "isBase64Encoded": is_binary,
    }
    for name in "cookies", "queryStringParameters", "body":
        if not event[name]:
            del event[name]
    return json.dumps(event, separators=(",", ":")).encode()


SAME = http_api(
    "/orders/7?repeat=one&repeat=two&redirect=https%3A%2F%2Fexample.com%2Fa&plus=a+b&flag",
    b'{"count": 2}\r\n\r\n',
    headers={"x-probe": "first,second"},
    cookies=["theme=dark", "session=s%3Aabc"],
)
"""The event that is sent again and again."""


def varied(count: int = 1_000) -> list[bytes]:
    """Return events of which no two are alike: the same ones each time.

    They have the shape of ``SAME``: a body, a query, two cookies and ten fields.
    Clients come again, with their address, cookies and token; ids are always new.
    """
    dice = random.Random(1)  # noqa: S311 - no secret

    def digits(length: int) -> str:
        return f"{dice.getrandbits(4 * length):0{length}x}"

    clients = [
        (
            ".".join(map(str, dice.randbytes(4))),
            dice.choice(AGENTS),
            [f"session=s%3A{digits(32)}", f"theme={dice.choice(['dark', 'light'])}"],
            f"Bearer {digits(64)}",
        )
        for _ in range(CLIENTS)
    ]
    events = []
    for number in range(count):
        address, agent, cookies, token = dice.choice(clients)
        referer = f"https://www.example.com/page/{digits(4)}"
        is_browser = agent.startswith("Mozilla")
        event = http_api(
            dice.choice(TARGETS).format(digits(8), dice.randrange(100_000)),
            json.dumps({"count": dice.randrange(100_000)}).encode(),
            headers={"referer": referer} if is_browser else {"authorization": token},
            cookies=cookies,
            address=address,
            agent=agent,
            trace_id=f"1-{0x665F0C1A + number:x}-{digits(24)}",
            request_id=base64.b64encode(dice.randbytes(11)).decode(),
            milliseconds=1717505220123 + 1000 * number,
        )
        events.append(event)
    return events
