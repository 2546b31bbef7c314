"""Response streaming, as far as AWS's emulator has it: it hands on what it got."""

import json
from pathlib import Path

from tests.catalogue import alb, function_url
from tests.e2e.test_faults import event, open_puppet

ALB = alb("POST", "/fine", "fine", isBase64Encoded=False)
URL = {"requestContext": function_url("POST")["requestContext"]}
SAID = (
    b"HTTP/1.1 201 Created\r\ncontent-type: image/png\r\nset-cookie: a=1\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
    b"3\r\n\x89PN\r\n9\r\n" + bytes(9) + b"\r\n0\r\n\r\n"
)
CUT_OFF = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"


async def test_stream(tmp_path: Path):
    """A function URL gets prelude, delimiter and bytes; a load balancer gets JSON.

    Also after a stream that broke off.
    """
    mode = {"AWS_LWA_INVOKE_MODE": "response_stream"}
    async with open_puppet(tmp_path, **mode) as emulator:
        cut_off = await emulator.invoke(event("/say", CUT_OFF, **URL))
        streamed = await emulator.invoke(event("/say", SAID, **URL))
        buffered = json.loads(await emulator.invoke(json.dumps(ALB).encode()))

    assert cut_off.endswith(bytes(8) + b"half")
    prelude, _, body = streamed.partition(bytes(8))
    assert json.loads(prelude) == {
        "statusCode": 201,
        "headers": {"content-type": "image/png"},
        "cookies": ["a=1"],
    }
    assert body == b"\x89PN" + bytes(9)
    assert (buffered["statusCode"], buffered["body"]) == (200, "fine")
