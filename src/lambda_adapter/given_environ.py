"""The environment as it was given, where a shell stands between.

A shell hands on no variable whose name is no identifier of its own, such as ``my-var``
or ``spring.profiles.active``, and sets IFS, OPTIND, PWD and others. The zipapp's prefix
is a shell script: it reads what the kernel gave it, and names that in a variable.
Imported only where there is one.
"""

import os

GIVEN = "_LAMBDA_ADAPTER_ENVIRON"
"""The variable: /proc/self/environ of the shell in hexadecimal digits, which may have
blanks between them. Or that it is too large for a variable."""

LARGE = "large"


def restore() -> None:
    """Make this process's environment what the variable says, and drop the variable.

    Where it says nothing, as without /proc, the environment stays as the shell left it.
    """
    text = os.environ.pop(GIVEN, "")
    if text == LARGE:
        from lambda_adapter.startup_failure import complain

        complain(
            "the environment is larger than 43 KB: a shell handed it on, without"
            " variables whose names are no identifiers, if there are any"
        )
    try:
        variables = bytes.fromhex(text).split(b"\0")
    except ValueError:  # an `od` that writes otherwise
        return
    given: dict[bytes, bytes] = {}
    for variable in variables:
        name, equals, value = variable.partition(b"=")
        if name and equals:
            given.setdefault(name, value)  # of two, Python takes the first
    if not given:
        return
    for name in set(os.environb) - set(given):
        del os.environb[name]
    os.environb.update(given)
