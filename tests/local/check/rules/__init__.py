"""Tests of the rules: values in, findings out."""
