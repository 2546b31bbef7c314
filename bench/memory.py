"""Memory of the adapter's process after 1, 1,000 and 100,000 invocations: must be flat.

PSS counts a shared page in part.
"""

from bench.harness.events import varied
from bench.harness.processes import pss
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import TRIVIAL

DEFAULTS = Defaults(("ours", "LWA"), invocations=100_000, cores=(2,))

LOOKS = (1, 1_000, 100_000)


def measure(run: Run) -> None:
    """Measure what each subject holds after so many invocations of varied events."""
    events = varied()
    for cores, subject in run.turns():
        with open_session(subject, TRIVIAL) as session:
            done = 0
            for look in sorted({min(look, run.invocations) for look in LOOKS}):
                session.run(events, look - done)
                done = look
                case = f"after {look:,} invocations"
                run.add(case, cores, "PSS", "MB", subject.name, pss(session.pid))
