"""Findings, as text, JSON, JUnit's XML and a page."""
