"""Run any web application on AWS Lambda without changing its code.

The modules of this folder load before the application starts, and import little else.
``cli`` decides what to run (``command_line``), and ``launcher`` executes it or starts
it as a child. ``settings`` and ``setting_parsers`` turn the environment into
``config``. ``errors`` is the tree of all failures; ``closed_paths`` and ``quoting``
help. Two load only if they are needed: ``startup_failure`` and ``off_lambda``.
``bootstrap`` imports the folders while the application starts:

- ``serve`` holds the one nursery (``supervisor``) and the ``invoke_loop``.
- ``app`` is the application, in its own process or in this one, and its client.
- ``runtime`` is Lambda's side: its Runtime API and the context of an invocation.
- ``events`` turns payloads into requests, and responses into replies.
- ``http`` has messages, HTTP/1.1 as bytes, and connections.
- ``observe`` writes the log and the metrics.
- ``local`` is a Lambda on this machine, for ``lambda-adapter local`` and for tests.

A module imports only from layers below its own, which import-linter enforces;
docs/design.md says why.
"""

__version__ = "0.1.0"
