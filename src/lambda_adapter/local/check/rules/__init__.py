"""Judge what measurements mean on Lambda: values in, findings out, no I/O."""
