"""What each gateway makes of a request, and what an application then sees.

The table holds every kind to the evidence: a request as its client sends it, and the
target, the fields or the body that arrive, by the name of the gateway. ``SAME`` is what
was sent.
"""

from dataclasses import dataclass, field

from lambda_adapter.http.messages import Fields
from lambda_adapter.local.gateways import GATEWAYS

SAME = "same"


@dataclass(frozen=True)
class Case:
    """A request; what differs from it at the application, by gateway."""

    name: str
    target: str = "/"
    method: str = "GET"
    fields: Fields = field(default_factory=list)
    body: bytes = b""
    targets: dict[str, str] = field(default_factory=dict)
    seen: dict[str, Fields] | Fields | None = None
    """The fields, one list for all gateways or one for each that differs."""
    bodies: dict[str, bytes] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()

    def expected_target(self, gateway: str) -> str:
        return self.targets.get(gateway, self.target)

    def expected_body(self, gateway: str) -> bytes:
        return self.bodies.get(gateway, self.body)

    def expected_fields(self, gateway: str) -> Fields:
        """Return the headers, names in lower case."""
        if isinstance(self.seen, list):
            return self.seen
        given = [(name.lower(), value) for name, value in self.fields]
        return (self.seen or {}).get(gateway, given)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


def by(*names: str, value: str) -> dict[str, str]:
    """Return one value for several gateways."""
    return dict.fromkeys(names, value)


URL_QUERY = ("rest-api", "vpc-lattice")
JSON = (b"Content-Type", b"application/json")
OCTETS = (b"Content-Type", b"application/octet-stream")

CASES = [
    Case("plain", "/a/b?x=1&y=2"),
    Case("space, accents", "/caf%C3%A9%20cr%C3%A8me"),
    Case("encoded slash", "/a%2Fb", targets={"http-api": "/a/b"}),
    Case("encoded ?", "/a%3Fb=1", targets={"http-api": "/a"}),
    Case("encoded %", "/100%25", refused=frozenset({"http-api"})),
    Case("invalid escape", "/a%zz", refused=frozenset({"http-api"})),
    Case("double-encoded", "/a%252Fb%2525", targets={"http-api": "/a/b%25"}),
    Case(
        "double slash, dots", "//a/../b/./", targets=by("rest-api", value="/a/../b/./")
    ),
    Case(
        "+ and %2B",
        "/a+b%2Bc?q=a+b&r=a%2Bb",
        targets={
            "http-api": "/a+b+c?q=a+b&r=a%2Bb",
            **by(*URL_QUERY, value="/a+b%2Bc?q=a%20b&r=a%2Bb"),
        },
    ),
    Case(
        "repeated query, order",
        "/?b=1&a=2&b=3",
        targets={
            "alb": "/?b=3&a=2",
            **by("alb-multi-value", *URL_QUERY, value="/?b=1&b=3&a=2"),
        },
    ),
    Case(
        "flag, empty",
        "/?flag&e=&=v",
        targets=by("alb", "alb-multi-value", *URL_QUERY, value="/?flag=&e=&=v"),
    ),
    Case(
        "bad escapes in query",
        "/?q=%zz&p=%ff",
        targets=by(*URL_QUERY, value="/?q=%25zz&p=%EF%BF%BD"),
    ),
    Case(
        "brackets",
        "/a[1]|b?x[]=1",
        targets={
            "http-api": "/a%5B1%5D%7Cb?x[]=1",
            **by(*URL_QUERY, value="/a[1]|b?x%5B%5D=1"),
        },
    ),
    Case(
        "repeated fields",
        fields=[(b"X-A", b"1"), (b"x-a", b"2, 3")],
        seen={
            "http-api": [(b"x-a", b"1,2, 3")],
            "function-url": [(b"x-a", b"1,2, 3")],
            "alb": [(b"x-a", b"2, 3")],
        },
    ),
    Case(
        "cookies in two fields",
        fields=[(b"Cookie", b"a=1; b=2"), (b"Cookie", b"c=3")],
        seen={
            **{name: [(b"cookie", b"a=1; b=2; c=3")] for name in GATEWAYS},
            "alb": [(b"cookie", b"c=3")],
        },
    ),
    Case(
        "Latin-1 field",
        fields=[(b"X-L", b"gr\xfc")],
        seen=[(b"x-l", "gr\xfc".encode())],
    ),
    Case(
        "text body",
        method="POST",
        fields=[(b"Content-Type", b"text/plain; charset=utf-8")],
        body="\u2615\ufeff".encode(),
    ),
    Case(
        "form",
        method="POST",
        fields=[(b"Content-Type", b"application/x-www-form-urlencoded")],
        body=b"a=1&b=%20",
    ),
    Case(
        "binary",
        method="POST",
        fields=[OCTETS],
        body=b"\xff\0\n",
        bodies={"rest-api": b"\xef\xbf\xbd\0\n"},
    ),
    Case(
        "text that is not UTF-8",
        method="POST",
        fields=[(b"Content-Type", b"text/plain; charset=latin-1")],
        body=b"gr\xfc",
        bodies={"rest-api": b"gr\xef\xbf\xbd"},
    ),
    Case(
        "gzip body",
        method="POST",
        fields=[JSON, (b"Content-Encoding", b"gzip")],
        body=b"\x1f\x8b",
        bodies={"rest-api": b"\x1f\xef\xbf\xbd"},
    ),
    Case("no content type", method="POST", body=b"abc"),
    Case("empty POST", method="POST"),
    Case(
        "hop-by-hop",
        fields=[(b"Connection", b"X-B, close"), (b"X-B", b"1"), (b"TE", b"trailers")],
        seen=[],
    ),
    Case("odd method", method="PROPFIND"),
]
