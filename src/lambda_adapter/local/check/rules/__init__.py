"""What a measurement means on Lambda. Core: values in, findings out, no I/O."""
