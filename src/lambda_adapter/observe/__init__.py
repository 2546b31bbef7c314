"""What others can see of the adapter: its log."""
