"""Metrics and alert rules, by Prometheus' own tool, and against each other."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from installation import ROOT

RULES = ROOT / "etc" / "prometheus" / "sluice.rules.yml"
RULE_TESTS = pathlib.Path(__file__).with_name("sluice.rules.test.yml")
DOCUMENT = ROOT / "docs" / "metrics.md"


@pytest.fixture
def promtool():
    program = shutil.which("promtool") or shutil.which("promtool", path=ROOT / ".venv" / "bin")
    if program is None:
        pytest.skip("needs promtool (of the Debian package prometheus)")

    def run(*arguments: object, text: str | None = None) -> subprocess.CompletedProcess:
        return subprocess.run([program, *arguments], input=text, capture_output=True, text=True,
                              timeout=120)

    return run


@pytest.fixture
def failing(installation, scripted_s3, producer):
    """A daemon with connectors in several states, and a name or two that need quoting."""
    for name in ("failing", "paused", "well"):
        installation.connector(
            name, name, scripted_s3.endpoint, scripted_s3.KEYS, batch={"max_age": "1s"},
            credentials={"grace": "0s"}, max_held="1GiB")
    scripted_s3.script(
        {"bucket": "failing", "times": None, "do": "answer", "status": 403,
         "code": "Invalid\"Access\\KeyId"},
        {"bucket": "failing", "times": None, "do": "answer", "status": 403,
         "code": "InvalidAccessKeyId"})
    daemon = installation.start()
    assert installation.sluicectl("pause", "paused").returncode == 0
    for name in ("failing", "paused", "well"):
        installation.drop(f"{name}.jsonl", producer.lines(10, event_type="shop.Order"), name)
    daemon.wait_until(lambda: installation.status("well")["delivered"]["events"] == 10, "delivered")
    daemon.wait_until(lambda: installation.status("paused")["held"]["events"] == 10, "held")
    return daemon


def metrics(text: str) -> dict[str, str]:
    """The type of each metric."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def test_prometheus_finds_nothing_to_say_against_the_metrics(installation, failing, promtool):
    text = installation.ask("/metrics").text
    assert 'sluice_connector_state{connector="paused",state="paused"} 1' in text
    checked = promtool("check", "metrics", text=text)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_documents_rules_and_dashboard_name_the_metrics_there_are(installation):
    installation.start()
    there = metrics(installation.ask("/metrics").text)
    documented = re.findall(r"^\| `(\S+)` \| (\w+) \|", DOCUMENT.read_text(), re.MULTILINE)
    assert documented == list(there.items())
    assert used(RULES.read_text()) <= set(there)
    for board in (ROOT / "etc").rglob("*.json"):
        assert used(json.dumps(json.loads(board.read_text()))) <= set(there), board


def used(text: str) -> set[str]:
    names = set(re.findall(r"\b(?:sluice|process)_[a-z_]+\b", text))
    assert names
    return names


def test_the_alert_rules_are_rules_and_fire_when_they_should(promtool):
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = promtool("test", "rules", RULE_TESTS)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_each_alert_says_what_it_is_and_what_to_do():
    alerts = re.split(r"^      - alert: ", RULES.read_text(), flags=re.MULTILINE)[1:]
    assert len(alerts) >= 15
    for alert in alerts:
        name = alert.split("\n", 1)[0]
        assert re.search(r"severity: (warning|critical)\n", alert), name
        summary = re.search(r"summary: (.*)\n", alert)
        assert summary and len(summary[1]) < 100, name
        (description,) = re.findall(r"description: >-\n((?: {12}.*\n)+)", alert)
        assert re.search(r"sluicectl|systemctl|Make room|Put its file|Mend", description), name
