#!/bin/sh
# What Lambda calls the handler is this program; the packages are beside it.
export PYTHONPATH=$LAMBDA_TASK_ROOT PYTHONUNBUFFERED=1
exec python3 -m gunicorn --no-control-socket --timeout 0 --bind :8080 app:app
