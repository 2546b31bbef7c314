"""A Lambda on the desk: gateways, the Runtime API, and environments to run in.

Loaded by ``lambda-adapter local`` and by the pytest plugin, and by nothing else.
"""
