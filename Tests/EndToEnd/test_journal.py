"""Entries read back from a real journald, which lab/journald.sh runs in a name space of its own."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
LAB = PROJECT / "Tests/EndToEnd/lab/journald.sh"
CATALOG = PROJECT / "systemd/sluice.catalog"
KINDS = PROJECT / "Sources/Systemd/MessageKind.swift"

# What the library under test writes, and then what journalctl makes of it.
SCRIPT = """
set -e
swift test --package-path "$PROJECT" --skip-build --filter JournalTests >"$OUT/sent" 2>&1 || {
    cat "$OUT/sent" >&2; exit 1; }
journalctl --sync
journalctl -o json --all SYSLOG_IDENTIFIER=sluiced >"$OUT/all"
mkdir "$OUT/by-id" "$OUT/explained"
for id in $IDS; do
    journalctl -o json --all MESSAGE_ID=$id >"$OUT/by-id/$id"
    journalctl --catalog --no-pager -n 1 MESSAGE_ID=$id >"$OUT/explained/$id"
done
"""


def message_ids():
    """Kind -> (ID, priority), as the source says."""
    text = KINDS.read_text()
    pairs = re.findall(r"case \.(\w+):\s+MessageID\(0x(\w+), 0x(\w+)\)", text)
    levels = {"critical": 2, "error": 3, "warning": 4, "notice": 5, "info": 6}
    priorities = {}
    for names, level in re.findall(r"case ((?:\.\w+,?\s+)*\.\w+):\s+\.(\w+)\n", text):
        for name in re.findall(r"\.(\w+)", names):
            priorities[name] = levels[level]
    return {kind: ((a + b).replace("_", ""), priorities[kind]) for kind, a, b in pairs}


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """The directory with what journalctl said about the entries that the library sent."""
    if shutil.which("swift") is None:
        pytest.skip("needs swift, which runs the sender")
    if not (PROJECT / ".build/debug/sluicePackageTests.xctest").exists():
        pytest.skip("needs the unit tests, one of which is the sender: swift build --build-tests")
    out = tmp_path_factory.mktemp("journal")
    ids = " ".join(sorted(id for id, _ in message_ids().values()))
    run = subprocess.run(
        [LAB, "--catalog", CATALOG, "--", "bash", "-c", SCRIPT],
        env={**os.environ, "PROJECT": str(PROJECT), "OUT": str(out), "IDS": ids},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if run.returncode == 77:
        pytest.skip(run.stderr.strip())
    assert run.returncode == 0, run.stderr
    assert "Test run with" in (out / "sent").read_text()
    return out


def entries(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("kind", sorted(message_ids()))
def test_every_kind_is_found_by_its_id_with_priority_and_fields(journal, kind):
    id, priority = message_ids()[kind]
    (entry,) = [
        entry
        for entry in entries(journal / "by-id" / id)
        if entry.get("SLUICE_CONNECTOR") == kind
    ]
    assert entry["MESSAGE"] == f"of kind {kind}\\n\\x1B[31m"
    assert entry["PRIORITY"] == str(priority)
    assert entry["SYSLOG_IDENTIFIER"] == "sluiced"
    assert entry["SLUICE_EVENTS"] == "3"


def test_values_keep_any_bytes_and_forge_nothing(journal):
    for entry in entries(journal / "all"):
        if "SLUICE_KEY" in entry:
            assert entry["SLUICE_KEY"] == "a\nPRIORITY=0"
            assert bytes(entry["SLUICE_FILE"]) == b"a\n\xff=\0"
            assert isinstance(entry["PRIORITY"], str) and entry["PRIORITY"] != "0"
    assert any("SLUICE_KEY" in entry for entry in entries(journal / "all"))


@pytest.mark.parametrize("kind", sorted(message_ids()))
def test_the_catalog_explains_every_kind(journal, kind):
    id, _ = message_ids()[kind]
    subject = re.search(rf"-- {id}\nSubject: (.*)", CATALOG.read_text()).group(1)
    subject = re.sub(r"@(\w+)@.*", "", subject)
    explained = (journal / "explained" / id).read_text()
    assert f"Subject: {subject}" in explained
    assert "Defined-By: sluiced" in explained


def test_a_stopped_journald_loses_no_count(journal):
    messages = [entry["MESSAGE"] for entry in entries(journal / "all")]
    burst = [int(m.split()[1]) for m in messages if m.startswith("burst ")]
    lost = [int(n) for m in messages for n in re.findall(r"^this log lost (\d+) line", m)]
    assert sum(lost) > 0, "the burst did not overflow: the test shows nothing"
    assert len(burst) + sum(lost) == 10_000
    assert burst == sorted(set(burst))
