"""`sluicectl submit` right after a start: it waits for the directory that the daemon is about to make."""

import subprocess

import pytest

from installation import binary
from local_s3 import Keys


def test_it_waits_for_a_directory_that_is_about_to_be_made(installation, tmp_path):
    installation.connector("orders", "bucket", "http://127.0.0.1:1", Keys("AKIA", "secret"))
    installation.incoming().mkdir()
    file = tmp_path / "a.jsonl"
    file.write_text('{"event_type": "a"}\n')
    with subprocess.Popen(
        [binary("sluicectl"), "submit", "--connector", "orders", file, "--config", installation.config]
    ) as submit:
        with pytest.raises(subprocess.TimeoutExpired):
            submit.wait(0.5)
        installation.incoming("orders").mkdir()
    assert submit.returncode == 0
    assert len(list(installation.incoming("orders").iterdir())) == 1


def test_it_does_not_wait_for_ever(installation, tmp_path):
    installation.connector("orders", "bucket", "http://127.0.0.1:1", Keys("AKIA", "secret"))
    installation.incoming().mkdir()
    file = tmp_path / "a.jsonl"
    file.write_text('{"event_type": "a"}\n')
    said = installation.sluicectl("submit", "--connector", "orders", str(file))
    assert said.returncode == 75
    assert "systemctl reload sluiced" in said.stderr
