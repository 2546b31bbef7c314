"""Events: what Lambda delivers, read as requests, and the replies to them."""
