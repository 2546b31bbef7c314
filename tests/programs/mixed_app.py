"""An application of both worlds: its asyncio coroutines call trio's, and the reverse.

For AWS_LWA_ASGI_LOOP=trio-asyncio: https://trio-asyncio.readthedocs.io/
"""

import asyncio

import trio
import trio_asyncio


@trio_asyncio.trio_as_aio
async def tripled_by_both(numbers):
    """Triple numbers in tasks of trio's, for asyncio."""
    results = []

    async def triple(number):
        await trio.sleep(0.01)
        results.append(await tripled_by_asyncio(number))

    async with trio.open_nursery() as nursery:
        for number in numbers:
            nursery.start_soon(triple, number)
    return sorted(results)


@trio_asyncio.aio_as_trio
async def tripled_by_asyncio(number):
    """Triple a number in asyncio, for trio."""
    await asyncio.sleep(0.01)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(asyncio.sleep(0, number * 3))
    return task.result()


async def app(scope, receive, send):
    """Respond with what both have worked out."""
    assert scope["type"] == "http"
    body = repr(await tripled_by_both([1, 2, 3])).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
