"""The invoke loop as it would be with a general HTTP client: trio and httpx.

It does as little as ``blocking.py`` does. What it takes longer, the client takes.
"""

import os

import httpx
import trio

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
APP = f"http://127.0.0.1:{os.environ['PORT']}"


async def main() -> None:
    async with httpx.AsyncClient(timeout=None) as client:  # noqa: S113 - next waits
        while True:
            invocation = await client.get(f"{RUNTIME}/next")
            event = invocation.json()
            response = await client.request(
                event["requestContext"]["http"]["method"],
                f"{APP}{event['rawPath']}?{event['rawQueryString']}",
                headers=event["headers"],
                content=(event.get("body") or "").encode(),
            )
            reply = {
                "statusCode": response.status_code,
                "headers": dict(response.headers),
                "body": response.text,
            }
            request_id = invocation.headers["lambda-runtime-aws-request-id"]
            await client.post(f"{RUNTIME}/{request_id}/response", json=reply)


if __name__ == "__main__":
    trio.run(main)
