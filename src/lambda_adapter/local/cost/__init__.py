"""Simulate how Lambda starts and keeps environments, and what a function costs.

``python -m bench fleet`` compares adapters with it, and ``lambda-adapter local check``
estimates the costs of the application that it has measured.
"""
