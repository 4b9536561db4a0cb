"""The Grafana dashboard draws what there is: each metric that it names comes from a daemon."""

import itertools
import json
import re
import shutil
import subprocess
import urllib.request

import pytest

from installation import ROOT

DASHBOARD = ROOT / "etc" / "grafana" / "sluice.json"
METRIC = re.compile(r"\b(?:sluice|process)_[a-z_]+")
STATE = re.compile(r'state=~?"([a-z_|]+)"')


@pytest.fixture(scope="module")
def dashboard() -> dict:
    return json.loads(DASHBOARD.read_text())


def expressions(dashboard: dict) -> list[str]:
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(found) > 10
    return found


def test_its_panels_have_ids_of_their_own_and_do_not_overlap(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] for panel in panels)
    places = [panel["gridPos"] for panel in panels]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_each_metric_and_state_that_it_names_comes_from_a_daemon(installation, scripted_s3, dashboard):
    address = installation.listen_on_loopback()
    installation.connector("orders", "scripted", scripted_s3.endpoint, scripted_s3.KEYS)
    installation.start().wait_for("connector verified")
    with urllib.request.urlopen(address + "metrics", timeout=10) as answer:
        metrics = answer.read().decode()
    there = set(re.findall(r"^# TYPE (\w+) ", metrics, re.MULTILINE))
    queries = [variable["definition"] for variable in dashboard["templating"]["list"] if "definition" in variable]
    named = set(METRIC.findall("\n".join(expressions(dashboard) + queries)))
    assert len(named) > 15 and named - there == set()
    states = set(re.findall(r'sluice_connector_state\{.*state="(\w+)"', metrics))
    used = {word for found in STATE.findall("\n".join(expressions(dashboard))) for word in found.split("|")}
    assert used == states, "each state has its colour, and no other"


def test_its_expressions_are_promql(dashboard, tmp_path):
    if not (promtool := shutil.which("promtool")):
        pytest.skip("promtool is not installed (Debian: prometheus)")
    rules = [{"record": f"panel:query:number{number}", "expr": expression.replace("$__rate_interval", "5m")}
             for number, expression in enumerate(expressions(dashboard))]
    # JSON is YAML.
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
