"""Judge a failed start, and causes in the log."""

from collections.abc import Sequence

from lambda_adapter.local.check.finding import Finding, failure
from lambda_adapter.local.check.rules.causes import Cause

_SAID = {
    "tmp": (
        "fills /tmp: no space left",
        "/tmp has 512 MB unless you ask for more, and stays between requests",
        "delete what a request wrote; or EphemeralStorage: {Size: 2048}",
    ),
    "descriptors": (
        "opens more than 1,024 files",
        "an environment has 1,024 descriptors",
        "close what is opened; limit the pools",
    ),
    "processes": (
        "starts more than 1,024 processes and threads",
        "an environment has 1,024 of them",
        "a pool with a limit",
    ),
    "thaw": (
        "a server gives up a worker, because it counts frozen time",
        "frozen time counts for the timeouts of servers",
        "gunicorn --timeout 0",
    ),
    "port": (
        "the port on which it listens is in use",
        "9001 is the Runtime API's, and two servers can't have one port",
        "listen on $PORT alone",
    ),
    "privileges": (
        "does what only root may",
        "the function runs as an unprivileged user: no chown, mount, ports below 1024",
        "do it in the Dockerfile; listen on $PORT",
    ),
    "outside": (
        "something that it connects to can't be reached",
        "a function reaches the internet, or its VPC; never localhost's services",
        (
            "take the address from the environment, connect with the first request, and"
            " retry"
        ),
    ),
}


def judge_cause(cause: Cause) -> Finding:
    """Return the finding for a cause in the log."""
    title, on_lambda, cure = _SAID[cause.kind]
    if "uid not found" in cause.line:
        title = "asks for the name of its user, which has none"
        on_lambda = "the user of a function from an image is not in /etc/passwd"
        cure = "ENV USER=lambda LOGNAME=lambda, which getpass.getuser() reads first"
    return failure(cause.kind, title, seen=cause.line, on_lambda=on_lambda, cure=cure)


def judge_exit(
    problem: str, line: str, cause: Cause | None, *, behind: bool = False
) -> Finding:
    """Return the finding for an application that exits before it is ready.

    Args:
        problem: how it ended.
        line: the last line of its log.
        cause: what another line names as the cause.
        behind: whether it left its server behind, in the background.
    """
    if behind:
        return failure(
            "start",
            "starts its server in the background, and ends",
            seen=problem,
            on_lambda="the adapter ends with the command that it has started: init"
            " fails, is tried again, and every request is a 502",
            cure="run the server in the foreground: nginx -g 'daemon off;', gunicorn"
            " without --daemon, exec in a shell script, no & at the end",
            page="when-something-fails.md",
        )
    return failure(
        "start",
        "ends before it is ready",
        seen=line or problem,
        on_lambda="init fails, is tried again, and every request is a 502",
        cure="see the cause above"
        if cause
        else "run the command by hand; its log's last line is here",
        page="when-something-fails.md",
    )


def judge_silence(seconds: float, *, listens: bool = False) -> Finding:
    """Return the finding of an application that never listens, or never responds."""
    return failure(
        "start-time",
        f"does not {'respond' if listens else 'listen'} within {seconds:.0f} s",
        seen="its port is open, and nothing accepts the connections" if listens else "",
        on_lambda="init is ended after 10 s, and so is each further attempt",
        cure="listen on $PORT; if it needs the time, ENV AWS_LWA_ASYNC_INIT=true, a"
        " larger MemorySize, or SnapStart",
        page="snapstart.md",
    )


def judge_waiting(connects: Sequence[str]) -> Finding:
    """Return the finding of an application that connects, and does not listen.

    Args:
        connects: what it connected to, again and again or without a response.
    """
    return failure(
        "outside",
        f"waits for {connects[0]} before it listens",
        seen="; ".join(connects[:5]),
        on_lambda="what it waits for has to be reachable from the function, within the"
        " 10 s of init; localhost has no services there",
        cure="take the address from the environment, listen first, and connect with"
        " the first request",
        page="when-something-fails.md",
    )
