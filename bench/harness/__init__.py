"""What the measurements share: subjects, far ends, sessions, results."""
