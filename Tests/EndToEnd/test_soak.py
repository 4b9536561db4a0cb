"""The soak in its quick form: it comes out even under faults, and sees a store that does not."""

import os
import pathlib
import random
import re
import subprocess
import sys

import pytest

from installation import ROOT, binary


def soak(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "soak", *map(str, arguments)], text=True, timeout=600,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "SLUICE_BIN_DIR": str(binary("sluiced").parent)})


def test_under_load_and_faults_every_event_is_accounted_for(tmp_path):
    seed = random.randrange(2**32)
    done = soak("0.4", "--seed", seed, "--scratch", tmp_path)
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(f"seed {seed}\n")
    assert done.stdout.endswith("soak passed\n")
    assert re.search(r"cycle 1 is even after", done.stdout)
    assert not list(tmp_path.iterdir()), "a soak that passed leaves nothing behind"


def test_the_schedule_follows_from_the_seed_and_has_every_fault():
    program = ROOT / "scripts" / "soak-kit" / "soak.py"
    plans = [subprocess.check_output([sys.executable, program, "60", "--seed", seed, "--plan"], text=True)
             for seed in ("7", "7", "8")]
    assert plans[0] == plans[1] and plans[0] != plans[2]
    assert {line.split()[4] for line in plans[0].splitlines()[1:]} == {
        "storm", "reset", "lost", "hang", "slow", "denied", "expiry", "gone", "secret", "kill", "term",
        "stop", "hup", "without", "batch", "full", "inodes", "readonly", "stall"}


@pytest.mark.parametrize(
    "sabotage, told",
    [
        pytest.param("forget", r"connector \S+: \d+ events are lost: \d+ never came, and 0 are recorded",
                     id="an object is forgotten after it was stored"),
        pytest.param("double", r"event \d+ was delivered twice, the second time in \S+",
                     id="an object is there under two keys"),
        pytest.param("alter", r"connector plain: object \d+, \S+: event -?\d+ is altered",
                     id="a byte of an object is another"),
        pytest.param("other", r"\S+ was sent with two bodies", id="a key has two bodies"),
    ])
def test_a_store_that_breaks_the_promise_makes_it_fail(tmp_path, sabotage, told):
    done = soak("0.1", "--seed", 1, "--sabotage", sabotage, "--scratch", tmp_path)
    assert done.returncode == 1, done.stdout
    failed = re.search(r"^soak FAILED: (.*)\nThe evidence is in (.*)$", done.stdout, re.MULTILINE)
    assert failed and re.search(told, failed[1]), done.stdout
    evidence = pathlib.Path(failed[2])
    for name in ("findings.txt", "journal.jsonl", "spool/incoming", "store/objects.sqlite", "store/bodies"):
        assert (evidence / name).exists(), name
