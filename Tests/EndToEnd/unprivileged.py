"""Users without privileges: the service's, two producers' and a stranger's, as the shipped unit has them."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from installation import Installation

PRODUCERS = 61_000
"""The group that may drop files."""


class User(NamedTuple):
    uid: int
    gid: int
    groups: tuple[int, ...] = ()


SERVICE = User(61_001, 61_001, (PRODUCERS,))
ALICE = User(61_002, 61_002, (PRODUCERS,))
BOB = User(61_003, 61_003, (PRODUCERS,))
MALLORY = User(61_004, 61_004)

_PR_SET_DUMPABLE = 4


@contextlib.contextmanager
def acting_as(user: User) -> Iterator[None]:
    """Does what stands in the block with the rights of another user, and with no capability."""
    libc = ctypes.CDLL(None)
    umask, groups = os.umask(0o022), os.getgroups()
    os.setgroups(user.groups)
    os.setegid(user.gid)
    os.seteuid(user.uid)
    # A process that changed its user may not look into its own /proc/self/fd; one that started so may.
    libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
        libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
        os.umask(umask)


def set_up(installation: Installation, *, leases: bool = True) -> None:
    """Has the daemon run as SERVICE, on a spool with the rights that systemd/sluice.tmpfiles gives it.

    Call it once all connectors are configured.
    """
    if os.geteuid() != 0:
        pytest.skip("starting the daemon as another user takes root")
    for program in ("setpriv", "setfacl"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    installation.prefix = [
        "setpriv", f"--reuid={SERVICE.uid}", f"--regid={SERVICE.gid}", f"--groups={PRODUCERS}",
        *(["--inh-caps=+lease", "--ambient-caps=+lease"] if leases else []), "--no-new-privs",
    ]
    installation.directory.chmod(0o755)
    own = [installation.directory, installation.config, *installation.connectors.glob("*"),
           *installation.directory.glob("*.secret")]
    for path in own:
        os.chown(path, SERVICE.uid, SERVICE.gid)
    incoming = installation.incoming()
    incoming.mkdir(exist_ok=True)
    for path, group, mode in [(installation.spool, SERVICE.gid, 0o711), (incoming, PRODUCERS, 0o3730)]:
        os.chown(path, SERVICE.uid, group)
        path.chmod(mode)
    acl = f"u::rwx,u:{SERVICE.uid}:r--,g::-wx,m::r--,o::---"
    made = subprocess.run(
        ["setfacl", "--default", "--modify", acl, incoming], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no access control lists here: {made.stderr.strip()}")


def drop(
    installation: Installation, user: User, name: str, contents: bytes, connector: str | None = None
) -> pathlib.Path:
    """Has a user write a file into `incoming/` as most programs do: under its final name, and then closed."""
    path = installation.incoming(connector) / name
    with acting_as(user):
        path.write_bytes(contents)
    return path
