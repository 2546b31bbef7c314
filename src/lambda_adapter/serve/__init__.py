"""Serve Lambda: the supervising nursery, the invoke loops, and snapshots."""
