"""Restore the environment that a shell has changed.

A shell drops variables whose names are not shell identifiers, such as ``my-var`` or
``spring.profiles.active``, and sets IFS, OPTIND, PWD and others. The zipapp begins with
a shell script: it reads the environment that the kernel gave it, and passes it on in
one variable. Imported only if that variable is set.
"""

import os

GIVEN = "_LAMBDA_ADAPTER_ENVIRON"
"""The variable: the shell's /proc/self/environ in hexadecimal digits, with or without
blanks between them, or ``LARGE`` if that is too large for a variable."""

LARGE = "large"


def restore() -> None:
    """Set this process's environment from the variable, and remove the variable.

    If that is empty, as without /proc, the environment stays as the shell left it.
    """
    text = os.environ.pop(GIVEN, "")
    if text == LARGE:
        from lambda_adapter.startup_failure import complain

        complain(
            "the environment is larger than 43 KB: a shell passed it on, and dropped"
            " any variable whose name is not a shell identifier"
        )
    try:
        variables = bytes.fromhex(text).split(b"\0")
    except ValueError:  # an `od` with another output format
        return
    given: dict[bytes, bytes] = {}
    for variable in variables:
        name, equals, value = variable.partition(b"=")
        if name and equals:
            given.setdefault(name, value)  # of duplicates, Python keeps the first
    if not given:
        return
    for name in set(os.environb) - set(given):
        del os.environb[name]
    os.environb.update(given)
