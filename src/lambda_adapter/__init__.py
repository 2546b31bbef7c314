"""Run any web application on AWS Lambda without changing its code.

General layout, from the outside in. Imports point down, and import-linter holds them to
it; docs/design.md says why.

- ``cli`` decides what to become; ``launcher`` becomes it, or starts it as a child, and
  ``claim`` settles which of two adapters serves. They load next to nothing, because the
  application's start waits for them.
- ``supervisor`` holds the one nursery: the child (``app_process``), the wait for it
  (``readiness``) and the ``invoke_loop``, which takes events from Lambda
  (``runtime_client``) to the application (``app_client``) and replies back.
  ``snapstart`` sees all that through a snapshot, where Lambda takes one.
- ``connection`` is one socket speaking HTTP/1.1; both clients use it.
- The core does no I/O, and reads no clock and no environment: ``events`` turns payloads
  into requests and responses into replies, ``runtime_api`` and ``lambda_context`` know
  Lambda's words, and ``http1`` HTTP's bytes. They speak in ``messages``, and of what
  went wrong in ``errors``. ``config`` is made of the environment by ``settings``, and
  ``route`` knows which paths are one.
"""

__version__ = "0.1.0"
