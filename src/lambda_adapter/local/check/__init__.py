"""``lambda-adapter local check``: will it run on Lambda, and what breaks?

Strategy: one run of the application in the sandbox, driven through Lambda's life by
stages (``stages/``). A stage measures, and asks a rule (``rules/``) for the findings.
Rules are pure: what was measured goes in, findings come out. ``report/`` prints them.
"""
