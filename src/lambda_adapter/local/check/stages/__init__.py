"""The stages of a check: each measures one aspect of a running application."""
