"""A Starlette application: the synchronous view /slow waits for 30 s in a thread."""

import time

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def slow(request):
    time.sleep(30)
    return PlainTextResponse("late")


async def root(request):
    return PlainTextResponse("here")


app = Starlette(routes=[Route("/", root), Route("/slow", slow)])
