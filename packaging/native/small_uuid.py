"""What msgspec asks for when it is imported. None of our types has a UUID."""


class SafeUUID:
    """Whether a UUID was made safely."""

    unknown = None


class UUID:
    """Of which there are none."""
