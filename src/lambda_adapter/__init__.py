"""Run any web application on AWS Lambda without changing its code.

What lies here loads before the application starts, and hardly anything with it: ``cli``
decides what to become (``command_line``), ``launcher`` becomes it or starts it as a
child, ``config`` is made of the environment by ``settings`` and ``parsers``, and
``errors`` is the tree of what can go wrong, with ``closed_paths`` and ``quoting``.
Two load only when their name says so: ``startup_failure`` and ``off_lambda``.
``bootstrap`` imports the folders, beside the application's start:

- ``serve`` holds the one nursery (``supervisor``) and the ``invoke_loop``.
- ``app`` is the application: a process or in this one, and what is sent to it.
- ``runtime`` is Lambda: its Runtime API and the context of an invocation.
- ``events`` turns payloads into requests, and responses into replies.
- ``http`` is messages, HTTP/1.1 as bytes, and connections.
- ``observe`` is the log, and the metrics.
- ``local`` is a Lambda on this machine, for ``lambda-adapter local`` and for tests.

Imports point down, and import-linter holds them to it; docs/design.md says why.
"""

__version__ = "0.1.0"
