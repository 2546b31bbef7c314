"""A small Django site. Only its handler for events knows of Lambda."""
