"""Memory of the adapter's process after 1, 1,000 and 100,000 invocations: must be flat.

PSS counts a shared page in part: https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html
No time is measured, so the subjects run at the same time.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.harness.events import USUAL
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import TRIVIAL, Subject

DEFAULTS = Defaults(
    subjects=("ours", "ours, zipapp", "LWA"), invocations=100_000, cores=(2,)
)

LOOKS = (1, 1_000, 100_000)


def measure(run: Run) -> None:
    """Measure what each subject holds after so many invocations."""
    run.say("all at once")
    looks = sorted({min(look, run.invocations) for look in LOOKS})
    cores = run.places[-1]

    def watch(subject: Subject) -> list[float]:
        with open_session(subject, TRIVIAL, cores) as session:
            found, done = [], 0
            for look in looks:
                session.run(USUAL, look - done)
                done = look
                found.append(_pss(session.launched("adapter").pid))
        return found

    with ThreadPoolExecutor() as pool:
        every = list(pool.map(watch, run.subjects))
    for subject, found in zip(run.subjects, every, strict=True):
        for look, value in zip(looks, found, strict=True):
            case = f"after {look:,} invocations"
            run.add((case, len(cores), subject.name), "PSS", "MB", value)


def _pss(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss: +(\d+) kB", rollup, re.MULTILINE)
    assert found
    return int(found[1]) / 1024
