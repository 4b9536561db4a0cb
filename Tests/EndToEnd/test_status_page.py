"""The page at `/`, in a real browser and from a real daemon: all is well, 40 hours into an episode, disk full."""

import http.server
import json
import re
import threading
import urllib.request
from collections.abc import Iterator

import pytest

from browser import browser, tab  # noqa: F401 (fixtures)
from clocks import library, wall_clock  # noqa: F401 (fixtures)
from disks import make_disk, tmpfs  # noqa: F401 (a fixture)
from page_checks import assert_accessible, assert_alone, assert_readable

BUCKET = "scripted"
HOUR = 3600
MIB = 1 << 20
REJECTED = {"method": "PUT", "do": "answer", "status": 403, "code": "InvalidAccessKeyId", "times": None}
HOSTILE = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"


@pytest.fixture
def configure(installation, scripted_s3):
    def write(*names: str) -> None:
        for name in names:
            installation.connector(
                name, BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, folder=name,
                batch={"max_age": "1s"}, credentials={"grace": "0s"})
    return write


def assert_good(tab, address: str, name: str) -> None:
    assert_readable(tab, name)
    assert_accessible(tab)
    assert_alone(tab, address)


def test_it_says_that_all_is_well_and_when_nobody_answers_and_goes_on_by_itself(
    installation, configure, producer, tab
):
    address = installation.listen_on_loopback()
    configure("billing", "orders")
    daemon = installation.start()
    for name in ("billing", "orders"):
        daemon.wait_for("connector verified", name)
    installation.drop("a.jsonl", producer.lines(30), "orders")
    daemon.wait_until(lambda: installation.status("orders")["delivered"]["events"] == 30, "they were delivered")
    tab.open(address)
    tab.wait_for("All is well: 2 connectors deliver.")
    assert tab.text("#episodes") == ""
    assert "Nothing: no event was ever dropped" in tab.text("#losses")
    assert "Empty: nothing was refused." in tab.text("#quarantine")
    assert "None since sluiced started." in tab.text("#no-problems")
    assert tab.title() == "✓ All is well: 2 connectors deliver – Sluice"
    assert_good(tab, address, "well")

    assert daemon.stop() == 0
    tab.look_again()
    tab.wait_for("No answer since ")
    assert "what is shown is from then" in tab.text("#headline")
    assert "systemctl status sluiced" in tab.text("#advice")
    assert "delivering" in tab.text("#rows")
    assert_readable(tab, "no-answer")
    assert all("Failed to load resource" in each for each in tab.complaints), tab.complaints

    installation.start()
    tab.wait_until("document.querySelector('#headline').innerText.startsWith('All is well')")


def test_40_hours_into_an_episode_it_says_what_is_at_risk_until_when_and_what_to_do(
    installation, scripted_s3, configure, producer, wall_clock, tab
):
    address = installation.listen_on_loopback()
    configure("billing", "orders")
    scripted_s3.script(REJECTED | {"key": "id-orders/"})
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(40, event_type="a.b"), "orders")
    hostile = "<script>document.title='taken'<script>.txt"
    installation.drop(hostile, b"no events", "billing")
    daemon.wait_for("credentials failing", "orders")
    daemon.wait_for("file quarantined")
    wall_clock.sleep(40 * HOUR)
    daemon.wait_until(
        lambda: installation.status("orders")["episodes"][0]["first_drop_in_seconds"] < 8 * HOUR,
        "40 of the 48 hours were over")
    tab.open(address)
    tab.wait_until("document.querySelector('#headline').innerText.startsWith('orders: ')")
    left = r"first drop in 7 h 5\d min, at \d\d:\d\d"
    assert re.match(f"orders: S3 rejects the credentials; {left}", tab.text("#headline"))
    assert "set one that exists" in tab.text("#advice") and "sluicectl test orders" in tab.text("#advice")
    assert re.search(left, tab.text("#episodes")) and "40 events at risk" in tab.text("#episodes")
    share = int(tab.evaluate("document.querySelector('#episodes [role=meter]').getAttribute('aria-valuenow')"))
    assert share == 83
    first = tab.evaluate("document.querySelector('#rows tr').innerText")
    assert first.startswith("orders") and "credentials failing" in first
    assert "1 file in quarantine" in tab.text("#advice") and "sluicectl quarantine list" in tab.text("#quarantine")
    assert "credentials failing" in tab.text("#problems")
    # The name of a file is text, whatever it says.
    assert hostile in tab.text("#problems")
    assert tab.evaluate("document.querySelectorAll('main img, main script').length") == 0
    assert "taken" not in tab.title()
    assert_good(tab, address, "episode")
    # The time left is read each minute by who looks, and spoken once.
    spoken = tab.text("#spoken")
    assert spoken == tab.text("#headline")
    wall_clock.sleep(120)
    tab.look_again()
    tab.wait_until("document.querySelector('#headline').textContent !== document.querySelector('#spoken').textContent")
    assert tab.text("#spoken") == spoken


def test_on_a_full_disk_it_says_that_files_wait_and_for_what(
    installation, scripted_s3, configure, producer, make_disk, tab
):
    address = installation.listen_on_loopback()
    disk = make_disk(tmpfs(f"size={16 * MIB}"))
    installation.configure(minimum_free="4MiB")
    configure("orders")
    daemon = installation.start()
    daemon.wait_for("connector verified")
    disk.fill(leave=MIB)
    installation.drop("a.jsonl", producer.lines(10), "orders")
    daemon.wait_for("intake waiting")
    tab.open(address)
    tab.wait_for("Intake waits: event files stay in incoming/ until there is room.")
    assert "minimum_free" in tab.text("#advice") and "Make room on that disk" in tab.text("#advice")
    spool = tab.text("#spool")
    assert "free of 16 MB" in spool and "intake waits below 4.1 MB" in spool and "intake waiting" in spool
    assert "intake waiting" in tab.text("#problems")
    marked = tab.evaluate("document.querySelector('#spool .meter-mark').style.insetInlineStart")
    assert marked == "75%"
    assert_good(tab, address, "full")


# States that take many connectors or hours: documents as the daemon gives them, and the daemon's own page.


class Server:
    """Serves the page that a daemon gave, with other documents."""

    def __init__(self, page: bytes, policy: str):
        self.documents: dict[str, dict] = {}
        answers = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, body = ("text/html; charset=utf-8", page) if self.path == "/" else (
                    "application/json", json.dumps(answers.documents[self.path]).encode())
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(installation, configure) -> Iterator[Server]:
    """With the documents of a daemon that has one connector, to be changed."""
    address = installation.listen_on_loopback()
    configure("orders")
    installation.start().wait_for("connector verified")
    with urllib.request.urlopen(address, timeout=10) as answer:
        made = Server(answer.read(), answer.headers["Content-Security-Policy"])
    for path in ("/status", "/history"):
        with urllib.request.urlopen(address.rstrip("/") + path, timeout=10) as answer:
            made.documents[path] = json.load(answer)
    yield made
    made.close()


def test_with_200_connectors_those_in_trouble_come_first_and_a_filter_finds_the_others(server, tab):
    status = server.documents["/status"]
    (well,) = status["connectors"]
    wrong = {"state": "misconfigured", "detail": f"connector wrong: {HOSTILE}; events wait until this is mended"}
    status["connectors"] = [well | {"name": f"tenant-{number:03}"} for number in range(198)] + [
        well | {"name": "wrong", "last_object": {"key": HOSTILE, "time": status["now"]}} | wrong,
        well | {"name": "x" * 63, "state": "paused"}]
    tab.open(server.address)
    tab.wait_for("wrong: misconfigured; nothing waits.")

    def names() -> list[str]:
        return tab.evaluate("[...document.querySelectorAll('#rows .name')].map((each) => each.innerText)")

    assert names()[:3] == ["wrong", "x" * 63, "tenant-000"] and len(names()) == 20
    assert tab.text("#shown") == "20 of 200 connectors shown, those in trouble first."
    tab.evaluate("document.querySelector('.name').focus()")
    tab.press("Enter")
    assert tab.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    shown = tab.text("#more-wrong")
    assert shown.count(HOSTILE) == 2, shown
    assert_good(tab, server.address, "many")
    tab.evaluate("document.querySelector('#filter').focus()")
    tab.call("Input.insertText", text="tenant-19")
    assert names() == [f"tenant-{number}" for number in range(190, 198)]
    tab.evaluate("document.querySelector('#filter').value = ''; document.querySelector('#filter').dispatchEvent(new Event('input'))")
    tab.evaluate("document.querySelector('#show-all').click()")
    assert len(names()) == 200
    assert tab.title().startswith("✕ wrong")
    assert tab.complaints == []


def test_the_charts_tell_their_values_by_keyboard_by_pointer_and_as_a_table(server, tab):
    history = server.documents["/history"]
    history["samples"] = {
        "delivered_events": [60 * minute for minute in range(360)], "delivered_bytes": [6000] * 360,
        "held_events": [minute * 1000 for minute in range(360)], "held_bytes": [minute * 10 ** 6 for minute in range(360)],
        "dropped_events": [0] * 350 + [7] + [0] * 9}
    tab.open(server.address)
    tab.wait_for("Now 359,000 events; highest 359,000 events at ")
    assert tab.text("#headline").startswith("7 events were dropped in the last six hours")
    assert ("Delivered" in tab.text("#throughput h3")) and "7 events dropped" in tab.text("#throughput .readout")
    tab.evaluate("document.querySelector('#backlog .cursor').focus()")
    for _ in range(9):
        tab.press("ArrowLeft")
    assert tab.text("#backlog .readout").endswith(": 350,000 events")
    assert tab.evaluate("document.querySelector('#backlog .cursor').getAttribute('aria-valuetext')").replace("\u00a0", " ").endswith(": 350,000 events")
    tab.press("Home")
    assert tab.text("#backlog .readout").endswith(": 0 events")
    tab.resize(1280, 2000)
    right, top = tab.evaluate(
        "(({right, top}) => [right, top])(document.querySelector('#throughput .cursor').getBoundingClientRect())")
    tab.call("Input.dispatchMouseEvent", type="mouseMoved", x=right - 6, y=top + 60)
    assert tab.text("#throughput .readout").endswith(": 359 events/s")
    tab.evaluate("document.querySelectorAll('figure details').forEach((each) => { each.open = true; })")
    assert "359,000 events" in tab.text("#backlog table") and "269,000 events" in tab.text("#backlog table")
    tab.evaluate("document.activeElement.blur()")
    tab.evaluate("document.querySelector('input[value=bytes]').click()")
    tab.wait_for("Now 359 MB; highest 359 MB at ")
    assert_good(tab, server.address, "charts")
