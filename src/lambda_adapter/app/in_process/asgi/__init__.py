"""ASGI applications in this process, on asyncio or on trio."""
