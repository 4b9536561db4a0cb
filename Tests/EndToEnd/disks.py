"""Small file systems for a spool, which fill up, turn read-only and lose their power."""

import errno
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from installation import Installation


class Disk:
    """A mounted file system with the installation's spool on it, and a file that fills it up."""

    def __init__(self, installation: Installation, mount: Callable[[pathlib.Path], list]):
        self.root = installation.directory / "disk"
        self.root.mkdir()
        self._mount = mount(self.root)
        self.mount()
        installation.spool = self.root / "spool"
        installation.spool.mkdir()
        installation.configure(minimum_free="0")

    def mount(self) -> None:
        mounted = subprocess.run(["mount", *self._mount, self.root], capture_output=True, text=True)
        if mounted.returncode:
            pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")

    def unmount(self, seconds: float = 10) -> None:
        """What a killed process had open may be busy for a moment."""
        deadline = time.monotonic() + seconds
        while (ended := subprocess.run(["umount", self.root], capture_output=True, text=True)).returncode:
            assert time.monotonic() < deadline, ended.stderr
            time.sleep(0.02)

    def remount(self, how: str) -> None:
        """`ro` or `rw`. It cannot turn read-only in the moment in which somebody writes."""
        deadline = time.monotonic() + 10
        while subprocess.run(
            ["mount", "-o", f"remount,{how}", self.root], capture_output=True
        ).returncode:
            assert time.monotonic() < deadline, f"it cannot be remounted {how}"
            time.sleep(0.01)

    def shut_down(self) -> None:
        """Cuts the power of an ext4 or xfs: every call fails with EIO, and what was not synced is gone."""
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, 0x8004587D, struct.pack("I", 2))
        finally:
            os.close(descriptor)

    # Filling it up.

    @property
    def _filler(self) -> pathlib.Path:
        return self.root / "filler"

    def fill(self, leave: int = 0) -> None:
        """Takes all space but so many bytes."""
        with self._filler.open("ab") as file:
            for step in [1 << 20, 64 << 10, 4 << 10]:
                while (room := os.statvfs(self.root)).f_bavail * room.f_frsize >= leave + step:
                    try:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, step)
                    except OSError as error:
                        # What is left is for the file system's own use.
                        assert error.errno == errno.ENOSPC
                        break

    def fill_inodes(self, leave: int = 0) -> None:
        directory = self.root / "many"
        directory.mkdir()
        for number in range(os.statvfs(self.root).f_favail - leave):
            (directory / str(number)).touch()

    def make_room(self) -> None:
        self._filler.unlink(missing_ok=True)
        shutil.rmtree(self.root / "many", ignore_errors=True)


def tmpfs(*options: str) -> Callable[[pathlib.Path], list]:
    return lambda root: ["-t", "tmpfs", "-o", ",".join(["mode=0755", *options]), "tmpfs"]


def image(kind: str, size: int, *options: str) -> Callable[[pathlib.Path], list]:
    """An ext4 or xfs in a file beside the directory that it is mounted on."""

    def make(root: pathlib.Path) -> list:
        if not (program := shutil.which(f"mkfs.{kind}", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")):
            pytest.skip(f"mkfs.{kind} is not installed")
        file = root.with_suffix(f".{kind}")
        with file.open("wb") as new:
            new.truncate(size)
        subprocess.run([program, "-q", *(["-m", "0"] if kind == "ext4" else []), file], check=True)
        return ["-o", ",".join(["loop", *options]), file]

    return make


@pytest.fixture
def make_disk(installation) -> Iterator[Callable[[Callable], Disk]]:
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    made: list[Disk] = []

    def make(mount: Callable[[pathlib.Path], list]) -> Disk:
        made.append(Disk(installation, mount))
        return made[-1]

    yield make
    installation.end_daemons()
    for disk in made:
        disk.unmount()


