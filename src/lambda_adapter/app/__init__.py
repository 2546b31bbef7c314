"""The application: its life, what is sent to it, and what settings put around it."""
