"""Reports of findings: as text, JSON, JUnit's XML and HTML."""
