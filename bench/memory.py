"""How much memory the adapter's process keeps, as invocations go by: it must be flat.

PSS, which shares what is shared: https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html
Nothing here is a matter of time, so the subjects run side by side.
"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bench import payloads
from bench.plan import Plan
from bench.results import Series
from bench.session import open_session
from bench.subjects import PEER, TRIVIAL, Subject

NAMES = ["ours", "ours, zipapp", PEER]
LOOKS = (1, 1_000, 100_000)
"""After how many invocations it is looked at."""


def measure(plan: Plan, advance: Callable[[str], None]) -> list[Series]:
    """Return what each subject keeps at each look."""
    cores = plan.cores[-1]

    def watch(subject: Subject) -> list[Series]:
        series = _watch(plan, subject, cores)
        advance(f"memory: {subject.name}")
        return series

    with ThreadPoolExecutor(max(len(plan.subjects), 1)) as pool:
        return [series for found in pool.map(watch, plan.subjects) for series in found]


def steps(plan: Plan) -> int:
    """Return how often ``measure`` advances."""
    return len(plan.subjects)


def _watch(plan: Plan, subject: Subject, cores: list[int]) -> list[Series]:
    series, done = [], 0
    looks = sorted({min(look, plan.invocations) for look in LOOKS})
    with open_session(subject, TRIVIAL, cores) as session:
        for look in looks:
            session.run(payloads.USUAL, look - done)
            done = look
            series.append(
                Series(
                    bench="memory",
                    case=f"after {look:,} invocations",
                    cores=len(cores),
                    subject=subject.name,
                    metric="PSS",
                    unit="MB",
                    rounds=[_pss(session.launched("adapter").pid)],
                )
            )
    return series


def _pss(pid: int) -> float:
    with open(f"/proc/{pid}/smaps_rollup") as file:
        found = re.search(r"^Pss: +(\d+) kB", file.read(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024
