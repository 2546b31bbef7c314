"""Tests of the sandbox: with the kernel, in real processes."""
