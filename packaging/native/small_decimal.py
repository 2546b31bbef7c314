"""What msgspec asks for when it is imported. None of our types has a decimal number."""


class Decimal:
    """Of which there are none."""
