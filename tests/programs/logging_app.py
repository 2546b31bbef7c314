"""An application that configures logging, warnings and output as applications do.

``CONFIGURES`` in the environment names how, and ``WITHIN`` whether a request does it.
"""

import builtins
import importlib
import io
import logging
import logging.config
import os
import sys
import threading
import warnings

HANDLERS = {"c": {"class": "logging.StreamHandler"}}
ROOT = {"handlers": ["c"], "level": "INFO"}

INI = """
[loggers]
keys=root
[handlers]
keys=c
[formatters]
keys=f
[logger_root]
level=INFO
handlers=c
[handler_c]
class=StreamHandler
formatter=f
args=(sys.stderr,)
[formatter_f]
format=%(message)s
"""


def dictionary():
    logging.config.dictConfig({"version": 1, "handlers": HANDLERS, "root": ROOT})


def named():
    """Name the adapter's logger, and have it say nothing."""
    quiet = {"lambda_adapter": {"level": "CRITICAL", "handlers": [], "propagate": 0}}
    logging.config.dictConfig({"version": 1, "loggers": quiet})


def ini():
    import configparser

    parser = configparser.ConfigParser()
    parser.read_string(INI)
    logging.config.fileConfig(parser)


def disables():
    logging.disable(logging.CRITICAL)


def empties():
    logging.getLogger().handlers.clear()
    for logger in list(logging.Logger.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.handlers.clear()
            logger.disabled = True


def shuts_down():
    logging.captureWarnings(True)
    warnings.warn("captured", stacklevel=1)
    logging.shutdown()


def replaces_stderr():
    vars(sys).update(stderr=io.StringIO(), __stderr__=io.StringIO())


def closes_stderr():
    sys.stderr.close()


def closes_both():
    sys.stdout.close()
    sys.stderr.close()


def replaces_print():
    """Print through logging, which is a recipe; tracebacks are printed as well."""
    log = logging.getLogger("print")
    vars(builtins)["print"] = lambda *values: log.warning(" ".join(values))


def makes_records():
    def factory(*args, **kwargs):
        raise LookupError("outside of a request")

    logging.setLogRecordFactory(factory)


def renames_levels():
    logging.addLevelName(logging.ERROR, "\033[31mOOPS\033[0m")


def forces():
    logging.basicConfig(level="DEBUG", force=True, format="%(message)s")


def nothing():
    pass


configure = globals()[os.environ.get("CONFIGURES", "nothing")]
if os.environ.get("WITHIN") != "1":
    configure()


def prints(what):
    """Print or log, as a path asks for it."""
    log = logging.getLogger("shop")
    match what:
        case "print":
            print("hello", what)
        case "part":
            print("a part", end="")
        case "bytes":
            sys.stdout.buffer.write(b"bytes\n")
        case "error":
            print("an error's part", end="", file=sys.stderr)
        case "threads":
            each = [threading.Thread(target=in_thread, args=(n,)) for n in range(8)]
            for thread in each:
                thread.start()
            for thread in each:
                thread.join()
        case "info":
            logging.getLogger().setLevel("INFO")
            log.info("sold %d", 3)
        case "thread-info":
            logging.getLogger().setLevel("INFO")
            thread = threading.Thread(target=log.info, args=("from a thread",))
            thread.start()
            thread.join()
        case "warning":
            log.warning("careful")
        case _:
            raise ValueError("cause")


def in_thread(number):
    for _ in range(20):
        print("line of thread", number)


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    if os.environ.get("WITHIN") == "1":
        configure()
    prints(scope["path"].strip("/"))
    if scope["query_string"] == b"hangs":
        await importlib.import_module("asgi_app").wait(60)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def wsgi(environ, start_response):
    if os.environ.get("WITHIN") == "1":
        configure()
    prints(environ["PATH_INFO"].strip("/"))
    if environ["QUERY_STRING"] == "hangs":
        threading.Event().wait(60)
    start_response("200 OK", [])
    return [b"ok"]
