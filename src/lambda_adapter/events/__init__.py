"""Events: turn what Lambda delivers into requests, and responses into replies."""
