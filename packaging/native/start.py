"""What the native file runs: the adapter's command line, with what is in it alone.

An application of Python's can't be imported here, since no module outside is. So where
one is asked for, the image's Python runs it, by the zipapp, if that lies beside.
"""

import codecs
import os
import sys
from _frozen_importlib import BuiltinImporter, FrozenImporter, ModuleSpec

ZIPAPP = "lambda-adapter.pyz"
EXTENSIONS = "/opt/extensions"
"""Where Lambda starts all that it finds, so that the zipapp can't lie there."""

IN_PROCESS = ("--asgi", "--wsgi", "--app-dir")
APPLICATIONS = ("AWS_LWA_ASGI_APP", "AWS_LWA_WSGI_APP")
EX_USAGE = 64


class LinkedIn:
    """Finds extension modules within packages, which `BuiltinImporter` does not."""

    @staticmethod
    def find_spec(
        name: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        """Return the module's spec, if it is linked in."""
        if name in sys.builtin_module_names:
            return ModuleSpec(name, BuiltinImporter)  # type: ignore[arg-type]
        return None


def encode_ascii(text: str, errors: str = "strict") -> tuple[bytes, int]:
    """Encode the name of a host, which has to be ASCII: IDNA takes tables of 1 MB.

    Raises:
        UnicodeError: It is not.
    """
    return text.encode("ascii"), len(text)


def find_idna(name: str) -> codecs.CodecInfo | None:
    """Return the codec that Python's sockets ask for when they look a host up."""
    if name != "idna":
        return None
    import _ctypes  # main.c's

    _ctypes.use_own_resolver()  # type: ignore[attr-defined]
    return codecs.CodecInfo(encode_ascii, codecs.ascii_decode, name=name)


def main() -> int:
    """Run the adapter, or become the zipapp."""
    # No path of the disk is searched, for none of what is there is meant.
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, LinkedIn]
    codecs.register(find_idna)
    argv = sys.argv[1:]
    if argv[:1] in (["--version"], ["-V"]):
        from lambda_adapter_about import ABOUT  # type: ignore[import-not-found]

        from lambda_adapter import __version__

        print(f"lambda-adapter {__version__} ({ABOUT})")
        return 0
    if is_in_process(argv) or any(map(os.environ.get, APPLICATIONS)):
        return become_zipapp(argv)
    from lambda_adapter import cli

    return cli.main()


def is_in_process(argv: list[str]) -> bool:
    """Return whether an option before the command is for an application of Python's."""
    rest = list(argv)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        option, equals, _ = rest.pop(0).partition("=")
        if option in IN_PROCESS:
            return True
        del rest[: 0 if equals else 1]
    return False


def become_zipapp(argv: list[str]) -> int:
    """Become the zipapp beside this file, and return only if there is none."""
    for place in os.path.dirname(os.path.realpath("/proc/self/exe")), "/opt":
        path = f"{place}/{ZIPAPP}"
        if place != EXTENSIONS and os.access(path, os.X_OK):
            os.execve(path, [path, *argv], os.environ)
    from lambda_adapter.errors import OptionError
    from lambda_adapter.startup_failure import give_up

    give_up(
        OptionError(
            "--asgi and --wsgi take the image's Python: put the zipapp, dist/bootstrap,"
            f" at /opt/{ZIPAPP}, or use it in place of this file"
        ),
        os.environ,
    )
    return EX_USAGE


if __name__ == "lambda_adapter_start":
    sys.exit(main())
