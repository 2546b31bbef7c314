"""The function: its environments, and the invocations that wait for one.

An invocation waits for a slot (a semaphore, one for each that Lambda would run
concurrently), then for its slot's environment, which is started if there is none. It
runs in the function's nursery and not in its client's task: as on Lambda, a client that
goes away ends no invocation.

After an invocation, this happens in order: the reply goes to the client, the
environment is measured, the invocation is reported, and the listeners are called.
Invocations are reported one at a time, in the order in which they ended.

Not solved: Lambda's freeze can't be noticed by a process. Here it is SIGSTOP, of which
a parent may be told by ``waitpid``.
"""

from collections import deque
from collections.abc import Callable

import trio

from lambda_adapter.http.messages import Response
from lambda_adapter.local.environment import (
    TIMED_OUT,
    EndedError,
    Environment,
)
from lambda_adapter.local.invocation import Failure, History, Invocation, Respond
from lambda_adapter.local.options import Options
from lambda_adapter.local.ports import free_ports
from lambda_adapter.local.report import Report

MAX_ENVIRONMENTS = 16
"""Ended environments to keep."""

QUEUED = 1.0
"""Seconds that an invocation waits for an environment before that is reported."""


class Slot:
    """Room for one environment at a time, with a port for its application."""

    def __init__(self, port: int, init_timeout: float) -> None:
        self.port = port
        self.init_timeout = init_timeout
        self.environment: Environment | None = None
        self.lock = trio.Lock()
        self.busy = 0


class Function:
    """Runs invocations, each in a free environment."""

    begun: list[Callable[[Invocation], None]]
    """Called with each invocation before it starts."""
    initialised: list[Callable[[], None]]
    """Called after each environment's init, before that is reported."""
    listeners: list[Callable[[Invocation], None]]
    """Called with each invocation after it is reported."""

    def __init__(self, options: Options, report: Report) -> None:
        self.options = options
        """The options that it was started with."""
        self._report = report
        port = options.config.port
        others = free_ports(options.environments - 1)
        self._places = [Slot(each, options.init_timeout) for each in (port, *others)]
        self._slots = trio.Semaphore(options.environments * options.concurrency)
        self._running: trio.Nursery | None = None
        self._telling = trio.Lock()
        self.records = History()
        self.logged = 0
        """Size in bytes of all log lines so far."""
        self.begun = []
        self.initialised = []
        self.environments: deque[Environment] = deque(maxlen=MAX_ENVIRONMENTS)
        """The latest ones, oldest first."""
        self.listeners = []

    async def run(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run environments and invocations, until cancelled."""
        async with trio.open_nursery() as self._running:
            task_status.started()
            await trio.sleep_forever()

    async def start(self) -> None:
        """Start the first environment, before the first event.

        Raises:
            EndedError: it failed to start. A slow init is only reported.
        """
        place = self._places[0]
        async with place.lock:
            try:
                await self._environment(place)
            except EndedError as error:
                if error.failure.error_type != TIMED_OUT:
                    raise
                self._report.notice(
                    f"{error.failure.message}; as on Lambda, the next request starts"
                    f" it again, within its timeout of {self.options.timeout:g} s"
                )

    @property
    def runs(self) -> bool:
        """Whether there is an environment."""
        environments = (place.environment for place in self._places)
        return any(each is not None and each.alive for each in environments)

    @property
    def environment(self) -> Environment | None:
        """The first environment, if there is one."""
        return self._places[0].environment

    async def restart(self) -> None:
        """End every environment, and start the first one again.

        Raises:
            EndedError: it failed to start. A slow init is only reported.
        """
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """End every environment. The next request starts one."""
        for place in self._places:
            async with place.lock:
                if place.environment:
                    await place.environment.end()

    @property
    def name(self) -> str:
        """The function's name."""
        return self.options.function_name

    @property
    def shown(self) -> str:
        """The application, as given, and its gateway."""
        return f"{self.options.shown} behind {self.options.gateway}"

    async def invoke(
        self,
        payload: bytes,
        title: str = "invoke",
        respond: Respond | None = None,
    ) -> Invocation:
        """Run an event; return its invocation once there is a reply or a failure."""
        invocation = Invocation(payload, title, respond)
        await self.submit(invocation)
        return invocation

    async def submit(self, invocation: Invocation) -> None:
        """Run an invocation, and return once there is a reply or a failure.

        A streamed reply counts once it begins. If this is cancelled, the invocation
        still runs to its end.
        """
        # Lambda would start another environment instead, so that only this machine
        # waits.
        with trio.move_on_after(QUEUED) as limit:
            await self._slots.acquire()
        if limit.cancelled_caught:
            self._report.notice(
                f"{invocation.title} waits for a free environment; Lambda would start"
                f" another: add --environments {self.options.environments + 1}"
            )
            await self._slots.acquire()
        self.records.add(invocation)
        for listener in self.begun:
            listener(invocation)
        # In the function's nursery: a client that hangs up cancels its own task only.
        self._nursery.start_soon(self._serve, invocation)
        await invocation.replied.wait()

    def refuse(self, title: str, response: Response, why: str) -> None:
        """Report and keep a request that never became an event."""
        refused = Invocation(b"", title)
        refused.refuse(response, why)
        self.records.add(refused)
        self._report.invocation(refused, reset=False)
        for listener in self.listeners:
            listener(refused)

    def submit_soon(self, invocation: Invocation) -> None:
        """Run an invocation without waiting for its reply."""
        self._nursery.start_soon(self._submit_unheard, invocation)

    async def _submit_unheard(self, invocation: Invocation) -> None:
        await self.submit(invocation)
        invocation.drop_pieces()

    @property
    def _nursery(self) -> trio.Nursery:
        if self._running is None:
            raise RuntimeError("the function does not run")
        return self._running

    async def _serve(self, invocation: Invocation) -> None:
        place = self._choose()
        place.busy += 1
        try:
            environment, lives = await self._serve_at(place, invocation)
            # Reported before the environment ends, which takes a while, and while its
            # memory can still be measured.
            if environment and (self.options.cold or not lives):
                await self._tell(invocation, environment, reset=not lives)
                await environment.end()
        finally:
            place.busy -= 1
            self._slots.release()
        if not invocation.told.is_set():
            await self._tell(invocation, environment, reset=False)

    async def _tell(
        self, invocation: Invocation, environment: Environment | None, *, reset: bool
    ) -> None:
        """Report a completed invocation."""
        async with self._telling:  # one by one, in the order of their ends
            if environment and environment.alive:
                await environment.measure(invocation)
            self._report.invocation(invocation, reset=reset)
        invocation.told.set()
        for listener in self.listeners:
            listener(invocation)

    async def _serve_at(
        self, place: Slot, invocation: Invocation
    ) -> tuple[Environment | None, bool]:
        """Serve an invocation; return its environment, and whether that still works."""
        try:
            # Concurrent invocations of a slot must not start two environments on its
            # port.
            async with place.lock:
                environment = await self._environment(place)
        except EndedError as error:
            failure = error.failure
            message = f"RequestId: {invocation.request_id} Error: {failure.message}"
            invocation.fail(Failure(failure.error_type, message))
            invocation.finish()
            return None, False
        return environment, await environment.serve(invocation)

    async def _environment(self, place: Slot) -> Environment:
        """Return a slot's environment, initialised; start one if there is none.

        Raises:
            EndedError: it ended before it was initialised.
        """
        environment = place.environment
        if environment and environment.alive:
            await environment.wait_initialised()
            return environment
        environment = place.environment = Environment(
            self.options, place.port, place.init_timeout, self._line
        )
        self.environments.append(environment)
        self._nursery.start_soon(environment.run)
        place.init_timeout = self.options.init_timeout
        try:
            await environment.wait_initialised()
        except EndedError as error:
            if error.failure.error_type == TIMED_OUT:
                # Lambda repeats a slow init within the first invocation, and its
                # timeout:
                # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
                place.init_timeout = self.options.timeout
            raise
        for listener in self.initialised:
            listener()
        self._report.ready(environment.init_ms or 0)
        return environment

    def _line(self, text: str) -> None:
        self.logged += len(text.encode("utf-8", "replace")) + 1
        self._report.line(text)

    def _choose(self) -> Slot:
        """Return a slot with room, preferably with a running environment."""
        free = [p for p in self._places if p.busy < self.options.concurrency]
        running = [p for p in free if p.environment and p.environment.alive]
        # A warm one first, as on Lambda; a cold start only if there is none.
        return (running or free)[0]
