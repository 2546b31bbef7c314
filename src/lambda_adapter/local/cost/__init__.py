"""What a function costs: environments as Lambda starts and keeps them, simulated.

``python -m bench fleet`` compares adapters with it, ``lambda-adapter local check`` says
what the application that it measured would cost.
"""
