"""Runs the commands of a page of the manual, against a local AWS and an installation in a directory."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from installation import ROOT, Installation, binary
from local_s3 import REGION, LocalS3


def commands(page: pathlib.Path) -> dict[str, str]:
    """The shell commands of each section, by its heading; those before the first are under ""."""
    found: dict[str, str] = {}
    heading = ""
    for part in re.finditer(r"(?ms)^## ([^\n]*)$|^```sh\n(.*?)^```$", page.read_text()):
        if part[1]:
            heading = part[1]
        else:
            found[heading] = found.get(heading, "") + part[2]
    return found


class Reader:
    """Somebody who pastes commands of the manual into one shell after the other.

    The page is followed to the letter but for this: paths in /etc/sluice are the installation's, there
    is no user "sluice" for files to belong to, "sudo" and "systemctl reload" do what they do here, and the
    connectors name the local endpoint, for they do not read AWS_ENDPOINT_URL.
    """

    def __init__(self, installation: Installation, s3: LocalS3, bucket: str):
        self._installation, self._s3, self._bucket = installation, s3, bucket
        self._home = installation.directory / "reader"
        self._programs = self._home / "bin"
        self._programs.mkdir(parents=True)
        self._program("sudo", 'exec "$@"')
        self._program(
            "sluicectl", f'exec "{binary("sluicectl")}" "$@" --config "{installation.config}"')
        self._program("systemctl", f"""
            [ "$*" = "reload sluiced" ] || exit 64
            kill -HUP "$SLUICED"
            # As systemd does, it waits until the daemon is ready again.
            for _ in $(seq 500); do
                [ -d "{installation.incoming("orders")}" ] && exit 0
                sleep 0.02
            done
            exit 1""")
        self._variables = self._home / "variables"
        self._variables.touch()

    def _program(self, name: str, text: str) -> None:
        path = self._programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(self, text: str, daemon_pid: int) -> str:
        """Runs commands; variables that they set are there for the next ones. Returns what they print."""
        edited = text.replace("/etc/sluice/", f"{self._installation.directory}/")
        edited = edited.replace(" -o sluice ", " ")
        edited = edited.replace("BUCKET=acme-events", f"BUCKET={self._bucket}")
        edited = edited.replace(
            'region = "$REGION"\n', f'region = "$REGION"\nendpoint = "{self._s3.endpoint}"\n')
        edited = edited.replace(
            'role_arn = "$ROLE"\n', f'role_arn = "$ROLE"\nsts_endpoint = "{self._s3.endpoint}"\n')
        script = "\n".join([
            "set -euo pipefail", f". {self._variables}", edited,
            f"declare -p BUCKET REGION ACCOUNT OLD_KEY ROLE 2>/dev/null >{self._variables} || true"])
        aws = pathlib.Path(sys.executable).parent
        path = f"{self._programs}:{aws}:{os.environ['PATH']}"
        result = subprocess.run(
            [shutil.which("bash") or "bash", "-c", script], cwd=self._home, capture_output=True,
            text=True, timeout=300, env={
                "PATH": path, "HOME": str(self._home), "SLUICED": str(daemon_pid),
                "AWS_ENDPOINT_URL": self._s3.endpoint, "AWS_DEFAULT_REGION": REGION,
                "AWS_ACCESS_KEY_ID": self._s3.owner.access_key_id,
                "AWS_SECRET_ACCESS_KEY": self._s3.owner.secret_access_key})
        assert result.returncode == 0, f"{text}\n{result.stdout}\n{result.stderr}"
        return result.stdout


SETUP = ROOT / "docs" / "aws-setup.md"
