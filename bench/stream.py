"""What a streamed response costs: the CPU time of the adapter, in user and kernel.

The application sends 52 MB in chunks of 64 KiB, as quickly as it can; the far end reads
them and throws them away.
"""

from statistics import median

from bench.harness.adapter import cpu_time
from bench.harness.events import FUNCTION_URL, http_api
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import TRIVIAL

DEFAULTS = Defaults(("native", "LWA"), rounds=5, invocations=10)

SIZE = 52_000_000
STREAMING = {"AWS_LWA_INVOKE_MODE": "response_stream"}


def measure(run: Run) -> None:
    """Measure the CPU time and the time of a stream, once it is warm."""
    event = [http_api(f"/stream/{SIZE}", domain=FUNCTION_URL)]
    for cores, subject in run.turns():
        with open_session(subject, TRIVIAL, environ=STREAMING) as session:
            session.run(event, max(run.invocations // 4, 1))
            before = cpu_time(session.pid)
            times = session.run(event, run.invocations).times
            cpu = (cpu_time(session.pid) - before) / run.invocations
        run.add("52 MB", cores, "CPU", "ms", subject.name, cpu / 1e6)
        run.add("52 MB", cores, "p50", "ms", subject.name, median(times) / 1e3)
