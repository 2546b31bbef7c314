"""What the adapter writes: its log, its metrics, and the application's own records."""
