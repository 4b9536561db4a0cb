"""Replaces itself with a program, and passes it sockets as systemd does: sd_listen_fds(3).

    activated.py DESCRIPTORS PROGRAM [ARGUMENT…]

DESCRIPTORS are inherited, with commas between them.
"""

import os
import sys

FIRST = 3

descriptors = [int(number) for number in sys.argv[1].split(",")]
# Out of the way first: one may lie where another is to go.
moved = [os.dup(descriptor) for descriptor in descriptors]
spare = [os.dup2(descriptor, 100 + index, inheritable=False) for index, descriptor in enumerate(moved)]
for index, descriptor in enumerate(spare):
    os.dup2(descriptor, FIRST + index, inheritable=True)
for descriptor in (set(descriptors) | set(moved)) - set(range(FIRST, FIRST + len(spare))):
    os.close(descriptor)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(len(spare))
os.execvp(sys.argv[2], sys.argv[2:])
