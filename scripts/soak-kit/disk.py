"""A small disk for the spool, which can be filled to its last block or inode, and made read-only."""

import contextlib
import os
import pathlib
import subprocess
import threading
import time

SIZE = 1 << 30
INODES = 24_000
"""Few, so that they can be used up within a second or two."""


def make_disk(directory: pathlib.Path) -> tuple["Disk | None", str]:
    """A disk mounted on `directory`/disk; or none, and why."""
    mount = directory / "disk"
    mount.mkdir()
    if os.geteuid() != 0:
        return None, "mounting takes root"
    image = directory / "disk.ext4"
    with image.open("wb") as file:
        file.truncate(SIZE)
    for command in (["mkfs.ext4", "-q", "-F", "-m", "0", "-N", str(INODES), image],
                    ["mount", "-o", "loop", image, mount]):
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            return None, f"{command[0]}: {error.strerror}"
        if done.returncode:
            return None, f"{command[0]} says: {done.stderr.strip()}"
    return Disk(mount), ""


class Disk:
    def __init__(self, mount: pathlib.Path):
        self.mount = mount
        self._ballast = mount / "ballast"

    def fill(self, ended: threading.Event) -> None:
        """Takes every block, and each that becomes free, until the fault is over."""
        with self._ballast.open("ab") as file:
            size, length = 0, 64 << 20
            while not ended.is_set():
                try:
                    # Allocates without writing, so the image stays sparse.
                    os.posix_fallocate(file.fileno(), size, length)
                    size += length
                except OSError:
                    length //= 4
                    if length < 4 << 10:
                        length = 4 << 10
                        ended.wait(0.05)

    def use_up_inodes(self, ended: threading.Event) -> None:
        directory = self.mount / "inodes"
        directory.mkdir(exist_ok=True)
        number = 0
        while not ended.is_set():
            try:
                os.close(os.open(directory / str(number), os.O_CREAT | os.O_WRONLY, 0o600))
                number += 1
            except OSError:
                ended.wait(0.02)

    def free(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._ballast.unlink()
        with contextlib.suppress(FileNotFoundError):
            for path in (self.mount / "inodes").iterdir():
                path.unlink()

    def make_read_only(self, seconds: float) -> bool:
        """Tries for some seconds: as long as a file is open for writing, the kernel refuses."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._remount("ro"):
                return True
            time.sleep(0.01)
        return False

    def make_writable(self) -> None:
        if not self._remount("rw"):
            raise RuntimeError(f"{self.mount} cannot be made writable again")

    def _remount(self, mode: str) -> bool:
        return subprocess.run(
            ["mount", "-o", f"remount,{mode}", self.mount], capture_output=True,
            start_new_session=True).returncode == 0

    def close(self) -> None:
        """Unmounts it, when the last file on it is closed."""
        self._remount("rw")
        for _ in range(100):
            if subprocess.run(["umount", self.mount], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        subprocess.run(["umount", "--lazy", self.mount], capture_output=True)
