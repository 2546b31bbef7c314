#!/bin/sh
# What Lambda calls the handler is this program; it starts in the package's directory.
exec java -XX:TieredStopAtLevel=1 -jar app.jar
