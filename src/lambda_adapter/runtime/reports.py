"""What Lambda is told of an environment that can't serve. Shell."""

from lambda_adapter.errors import AdapterError
from lambda_adapter.http.encoding import EncodedRequest
from lambda_adapter.http.peer_error import PeerError
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime import requests
from lambda_adapter.runtime.channel import Channel, quote

REPORT_LIMIT = 30.0
"""Seconds that Lambda may take to hear that init or a restore failed."""


class Reporter(Channel):
    """Lambda's Runtime API, as far as it is told of failures."""

    async def post_init_error(self, error: AdapterError) -> None:
        """Report that the application never came up."""
        await self._report(requests.init_error_request(self.host, error), "init")

    async def post_restore_error(self, error: AdapterError) -> None:
        """Report that the application did not survive a snapshot."""
        request = requests.restore_error_request(self.host, error)
        await self._report(request, "restore")

    async def _report(self, request: EncodedRequest, phase: str) -> None:
        try:
            response = await self.post(request, REPORT_LIMIT)
        except PeerError as failure:
            log.error("Lambda could not be told of the %s error: %s", phase, failure)
        else:
            if response.status != 202:
                said = quote(response)
                log.error("Lambda did not take the %s error: %s", phase, said)
