"""Impose Lambda's limits locally: disk, shared memory, user, CPU and memory.

Strategy: the adapter's command is started through ``confine``, a program that confines
itself in the kernel and then executes the adapter, so that the adapter is inside as
well: Lambda's share is for all processes of an environment. What the kernel does not
do without root (CPU and memory) a ``governor`` in this process does from outside, with
SIGSTOP, SIGCONT and SIGKILL. A ``watcher`` is asked by the kernel about each system
call that would write, listen or connect, so that a failure can name a file or address.
"""
