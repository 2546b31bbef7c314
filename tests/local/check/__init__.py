"""Tests of the check: its rules with values, its stages with the zoo."""
