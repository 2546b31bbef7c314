#!/bin/sh
command -v python3 >/dev/null || { echo "lambda-adapter: no python3 on PATH; it needs Python 3.11 or newer" >&2; exit 127; }
# A shell drops variables whose names it can't use itself, and sets some of its own. The kernel
# has what was given, unless it is too large to be handed on (MAX_ARG_STRLEN, 131072 bytes).
given=$(od -v -An -tx1 "/proc/$$/environ" 2>/dev/null)
[ ${#given} -lt 131000 ] || given=large
export _LAMBDA_ADAPTER_ENVIRON="$given"
# What the image has in Python is kept out, unless it is the application and its packages,
# which then come first.
flags=-IS
[ "${AWS_LWA_ASGI_APP-}${AWS_LWA_WSGI_APP-}" ] && flags=
case ${1-}:${2-} in
    --asgi* | --wsgi* | --app-dir* | --microvm-hooks=*:--[aw]*) flags= ;;
    --microvm-hooks:*) case ${3-} in --[aw]*) flags= ;; esac ;;
esac
# Unpacked already: the archive's own __main__.py would do the same, 6 ms later. It is for
# --version, which sees to the bytecode besides.
site=${SHIV_ROOT:-@ROOT@}/bootstrap_@BUILD_ID@/site-packages
[ -d "$site" ] && [ "${1-}" != --version ] && exec python3 $flags -c '
import sys
site, *sys.argv = sys.argv[1:]
sys.version_info >= (3, 11) or __import__("runpy").run_path(sys.argv[0], run_name="__main__")
sys.path.insert(0, site)
from lambda_adapter import code_file
code_file.use(site)
from lambda_adapter.cli import main
sys.flags.isolated or sys.path.append(sys.path.pop(0))
sys.exit(main())
' "$site" "$0" "$@"
exec python3 $flags "$0" "$@"
