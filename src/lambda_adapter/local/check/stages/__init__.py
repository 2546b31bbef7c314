"""The parts of a check, in their order; each measures one thing of a running app."""
