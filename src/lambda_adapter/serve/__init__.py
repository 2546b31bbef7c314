"""Serving Lambda: the nursery, the invoke loops, and a snapshot's restore."""
