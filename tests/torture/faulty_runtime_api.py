"""A Runtime API that fails as it is told, each time once, and then is sound again."""

from collections import defaultdict, deque

import trio

from tests.fake_runtime_api import FakeRuntimeApi, Posted
from tests.torture.faults import Fault, commit


class FaultyRuntimeApi(FakeRuntimeApi):
    """Its faults, by how the target of a request ends."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        """What becomes of a request that has come whole."""
        self.early: dict[str, deque[Fault]] = defaultdict(deque)
        """What becomes of one that has not."""
        for end in ("/response", "/error"):
            self.meanwhile[end] = self._meet_early

    async def fail(self, end: str, fault: Fault, *, early: bool = False) -> None:
        """Have the next request of this kind fail."""
        (self.early if early else self.faults)[end].append(fault)

    async def _answer(self, stream: trio.SocketStream, request: Posted) -> bool:
        for end, faults in self.faults.items():
            if request.target.endswith(end) and faults:
                fault = faults.popleft()
                self._settle(request)
                return await commit(fault, stream)
        return await super()._answer(stream, request)

    async def _meet_early(self, stream: trio.SocketStream, request: Posted) -> None:
        for end, faults in self.early.items():
            if request.target.endswith(end) and faults:
                fault = faults.popleft()
                self.posted.append(request)
                self._settle(request)
                await commit(fault, stream)
                raise trio.BrokenResourceError

    def _settle(self, request: Posted) -> None:
        """Take what has come for a reply, as Lambda does before it says so."""
        event = self._open.get(request.target.split("/")[-2])
        if event:
            event.answers.append(request)
            event.answered.set()


def status(number: int, fields: bytes = b"") -> Fault:
    """Return a response of Lambda's that refuses."""
    body = b'{"errorType":"Refused"}'
    head = b"HTTP/1.1 %d No\r\n%scontent-length: %d\r\n\r\n"
    return Fault(head % (number, fields, len(body)) + body, "keep")


REFUSALS = {str(number): status(number) for number in (400, 403, 404, 413, 429, 503)}
