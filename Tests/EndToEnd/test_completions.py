"""Completions in real shells: subcommands, options, and the connectors of the configuration."""

import os
import pathlib
import shutil
import subprocess

import pytest

from installation import ROOT, Installation, binary
from local_s3 import Keys
from terminal import Terminal

KEYS = Keys("NOBODY", "secret")
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
COMPLETIONS = ROOT / "etc" / "completions"
READY = "ready> "


def script(shell: str) -> str:
    return subprocess.run(
        [binary("sluicectl"), "--generate-completion-script", shell], capture_output=True,
        text=True, check=True, timeout=30).stdout


@pytest.fixture(params=SHELLS)
def shell(request, installation: Installation, tmp_path: pathlib.Path):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    for name in ("orders", "orders-archive", "web"):
        installation.connector(name, "bucket", "http://127.0.0.1:9", KEYS)
    (tmp_path / "_sluicectl").write_text(script(request.param))
    path = f"{binary('sluicectl').parent}:{os.environ['PATH']}"
    terminal = Terminal(
        SHELLS[request.param],
        {"PATH": path, "PS1": READY, "HOME": str(tmp_path), "INPUTRC": "/dev/null", "TERM": "dumb"},
        columns=1000, is_ours=False)
    if request.param == "bash":
        terminal.type(f"source {tmp_path}/_sluicectl; source {COMPLETIONS}/sluiced.bash\n")
    else:
        terminal.type(f"fpath=({tmp_path} {COMPLETIONS} $fpath); autoload -Uz compinit; compinit -u\n")
    terminal.type("echo s''et\n")
    terminal.wait_until(lambda: "\nset" in terminal.written.replace("\r", ""), "it has read them")
    yield terminal
    terminal.close()


def test_a_shell_completes_commands_options_and_connectors(shell, installation):
    config = f"--config {installation.config}"
    for typed, completed in [
        ("sluicectl sta", "sluicectl status "),
        ("sluicectl status --wa", "sluicectl status --watch "),
        ("sluicectl archive retr", "sluicectl archive retry "),
        (f"sluicectl {config} drain we", f"sluicectl {config} drain web "),
        (f"sluicectl pause {config} ord", f"sluicectl pause {config} orders"),
        (f"sluicectl check {config[:-3]}", f"sluicectl check {config}"),
        ("sluiced --unt", "sluiced --until-empty "),
    ]:
        before = len(shell.written)
        shell.type(typed + "\t")
        shell.wait_until(
            lambda: completed in shell.written[before:].replace("\a", ""), f"{typed} is completed")
        before = len(shell.written)
        # Ctrl-C could come while the shell waits for a completion, and end that.
        shell.type("\x15\n")
        shell.wait_until(lambda: READY in shell.written[before:], "the line is given up")
