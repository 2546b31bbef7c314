#!/bin/sh
# What Lambda calls the handler is this program; it starts in the package's directory.
exec node app.js
