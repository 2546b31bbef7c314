"""Run any web application on AWS Lambda without changing its code.

What lies here loads before the application starts, and hardly anything with it: ``cli``
decides what to become, ``launcher`` becomes it or starts it as a child, ``claim``
settles which of two adapters serves, ``config`` is made of the environment by
``settings``, and ``errors`` is the tree of what can go wrong. Folders load after that,
in the ``background`` of the application's start:

- ``serve`` holds the one nursery (``supervisor``) and the ``invoke_loop``.
- ``apps`` is the application: its process, the wait for it, and what is sent to it.
- ``runtime`` is Lambda: its Runtime API and the context of an invocation.
- ``events`` turns payloads into requests, and responses into replies.
- ``http`` is messages, HTTP/1.1 as bytes, and connections.
- ``observe`` is the log.

Imports point down, and import-linter holds them to it; docs/design.md says why.
"""

__version__ = "0.1.0"
