#!/bin/sh
# Make the one file of its launcher and the directory that it unpacks: see onefile.c.
# usage: pack_onefile.sh LAUNCHER DIRECTORY OUTPUT
set -eu
archive=$(mktemp)
trap 'rm -f "$archive"' EXIT
tar --create --format=ustar --sort=name --owner=0 --group=0 --file="$archive" \
    --directory="$2" .
build=$(sha256sum <"$archive" | cut -c 1-16)
{
    cat "$1" "$archive"
    printf %s%016d "$build" "$(stat --format=%s "$archive")"
} >"$3"
chmod 755 "$3"
