"""``lambda-adapter local --microvm``: Lambda's side of a MicroVM."""
