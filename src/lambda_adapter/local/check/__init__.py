"""``lambda-adapter local check``: find out whether an application runs on Lambda.

The application runs once in the sandbox. Stages (``stages/``) drive it through init,
requests, freeze and shutdown, and measure. Rules (``rules/``) turn measurements into
findings, as pure functions. ``report/`` prints the findings.
"""
