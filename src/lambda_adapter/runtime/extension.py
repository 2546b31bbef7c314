"""Register the adapter as an extension, since only then does Lambda send SIGTERM.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
"""

import trio

from lambda_adapter.errors import PeerError
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime import api
from lambda_adapter.runtime.api import UnusableResponseError
from lambda_adapter.runtime.persistent_connection import (
    MAX_RESPONSE,
    PersistentConnection,
    describe_response,
)

REGISTER_LIMIT = 2.0
"""Timeout in seconds for registering the extension. Init waits for it, and has 10 s:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""


class Extension(PersistentConnection):
    """An extension without events."""

    async def run(self, name: str, registered: trio.Event) -> None:
        """Register as an extension, so that Lambda sends SIGTERM; then never return.

        The extension has its own client, because its connection waits for ever.

        The registration is complete once the next event is requested; none is
        subscribed to, so none arrives. ``registered`` has to be set before the
        runtime's first ``/next``, which ends the init. A refusal is only logged.
        """
        try:
            request = api.register_request(self.host, name)
            response = await self.post(request, REGISTER_LIMIT)
            fields = {key.lower(): value for key, value in response.fields}
            extension_id = fields.get(b"lambda-extension-identifier", b"")
            if response.status != 200 or not extension_id:
                raise UnusableResponseError(describe_response(response))
            following = api.event_next_request(self.host, extension_id)
            # Before the wait, which ends only with the environment. Whoever waits for
            # the registration goes on to the runtime's own ``/next``.
            registered.set()
            response = await self.exchange(following, MAX_RESPONSE)
            raise UnusableResponseError(describe_response(response))
        except (PeerError, UnusableResponseError) as error:
            log.warning(
                "Lambda will not send SIGTERM before it ends this environment, because"
                " registering the extension %s failed: %s",
                name,
                error,
            )
        finally:
            # After a failure, too: without SIGTERM the adapter still serves.
            registered.set()
            self.close()
