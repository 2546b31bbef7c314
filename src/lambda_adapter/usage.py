"""What ``--help`` prints. Imported only for that."""

USAGE = """\
usage: lambda-adapter COMMAND [ARGUMENT...]
       lambda-adapter [--app-dir DIRECTORY] --asgi MODULE:ATTRIBUTE
       lambda-adapter [--app-dir DIRECTORY] --wsgi MODULE:ATTRIBUTE

Run a web application on AWS Lambda without changing its code. Outside Lambda, become
COMMAND. On Lambda, start it and send it each event as an HTTP request. With --asgi or
--wsgi, import an application into this process and call it; outside Lambda, become the
web server that is installed: uvicorn or hypercorn, gunicorn or waitress.

  lambda-adapter local ...      run COMMAND as a function on this machine: see --help
  lambda-adapter --version, -V  print the version
  lambda-adapter --help, -h     print this

Exit status: that of COMMAND; 64 if the command line or a setting can't be used.
"""
