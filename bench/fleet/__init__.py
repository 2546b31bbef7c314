"""``python -m bench fleet``: what a fleet of environments costs, simulated.

A round takes one round's figures of a run that measured them, and one seed. What is
assumed stands beside each constant, and in docs/costs.md.
"""
