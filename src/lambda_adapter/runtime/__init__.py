"""Clients of Lambda's Runtime and Extensions APIs, and the context of an invocation."""
