"""The floor for CPython: next, decode, request, reply, post, on two blocking sockets.

It checks nothing, keeps no deadline and serves HTTP APIs' events only, as text: what an
adapter in Python can't do without, and no more.
"""

import json
import os
import socket
import time

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: r\r\n\r\n"
POST = (
    b"POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: r\r\n"
    b"Content-Length: %d\r\n\r\n"
)


def connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    while True:
        try:
            sock = socket.create_connection((host, int(port)))
        except ConnectionRefusedError:  # the application does not listen yet
            time.sleep(0.01)
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock


def receive(sock: socket.socket) -> tuple[dict[bytes, bytes], bytes]:
    """Return the fields of a response, and its body."""
    data = sock.recv(65536)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += sock.recv(65536)
    lines = data[:end].split(b"\r\n")[1:]
    pairs = [line.split(b":", 1) for line in lines]
    fields = {name.lower(): value.strip() for name, value in pairs}
    length = int(fields.get(b"content-length", b"0"))
    pieces, missing = [data[end + 4 :]], length - (len(data) - end - 4)
    while missing:
        pieces.append(sock.recv(min(missing, 65536)))
        missing -= len(pieces[-1])
    return fields, b"".join(pieces)


def request(event: dict[str, object]) -> bytes:
    path, query = str(event["rawPath"]), str(event["rawQueryString"])
    context = event["requestContext"]
    fields = event["headers"]
    assert isinstance(context, dict)
    assert isinstance(fields, dict)
    body = str(event.get("body") or "").encode()
    lines = [f"{context['http']['method']} {path}?{query} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def main() -> None:
    runtime = connect(os.environ["AWS_LAMBDA_RUNTIME_API"])
    app = connect("127.0.0.1:" + os.environ["PORT"])
    while True:
        runtime.sendall(NEXT)
        invocation, payload = receive(runtime)
        app.sendall(request(json.loads(payload)))
        fields, body = receive(app)
        headers = {name.decode(): value.decode() for name, value in fields.items()}
        reply = {"statusCode": 200, "headers": headers, "body": body.decode()}
        raw = json.dumps(reply).encode()
        request_id = invocation[b"lambda-runtime-aws-request-id"]
        runtime.sendall(POST % (request_id, len(raw)) + raw)
        receive(runtime)


if __name__ == "__main__":
    main()
