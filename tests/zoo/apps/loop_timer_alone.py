"""A task of asyncio's loop once a second, beside a server without a framework."""

import asyncio
import os


async def look():
    while True:
        await asyncio.sleep(1)


async def respond(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    await writer.drain()
    writer.close()


async def main():
    task = asyncio.create_task(look())
    server = await asyncio.start_server(respond, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()
    await task


asyncio.run(main())
