#!/bin/sh
# What Lambda calls the handler is this program; the packages are beside it.
PYTHONPATH=$LAMBDA_TASK_ROOT PYTHONUNBUFFERED=1 exec python3 -m gunicorn --no-control-socket --bind :8080 app:app
