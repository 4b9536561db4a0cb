"""sluicectl asks the daemon's control socket; here a server plays the daemon and says what it was asked."""

import http.server
import json
import os
import pty
import socketserver
import subprocess
import threading
from collections.abc import Iterator

import pytest

from installation import Installation, binary

GIVEN_UP = {"objects": 3, "events": 1234, "bytes": 5_678_000}
BATCHES = [
    {"connector": "orders", "batch": f"0000000000000001-{number}", "event_type": "shop.Order",
     "events": 1000 * number, "bytes": 50_000, "key": f"currents/{number}.jsonl.gz",
     "accepted_from": "2026-11-20T09:00:00Z", "accepted_to": "2026-11-20T09:05:00Z"}
    for number in (1, 2)
]
STATUS = {
    "summary": "1 connector", "now": "2026-11-22T18:00:00Z", "spool": {"intake": "running"},
    "connectors": [{"name": "orders", "state": "delivering", "held": GIVEN_UP}],
    "orphans": [{"name": "old-shop", **GIVEN_UP}],
}


class Control:
    """Answers by method and target; everything else is 404."""

    def __init__(self, path: str):
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[str] = []
        control = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = f"{self.command} {self.path}"
                control.asked.append(asked)
                status, body = control.answers.get(
                    asked, (404, f"there is nothing at {self.path}\n"))
                text = body if isinstance(body, str) else json.dumps(body) + "\n"
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET

            def address_string(self) -> str:
                return "socket"

            def log_message(self, *_: object) -> None:
                pass

        self._server = socketserver.ThreadingUnixStreamServer(path, Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def control(installation: Installation) -> Iterator[Control]:
    made = Control(str(installation.directory / "http.sock"))
    made.answers = {
        "GET /status": (200, STATUS),
        "POST /pause?connector=orders": (200, {"paused": True}),
        "POST /resume?connector=orders": (200, {"paused": False}),
        "POST /discard?connector=orders": (200, GIVEN_UP),
        "POST /discard?connector=old-shop": (200, GIVEN_UP),
        "POST /rekey?connector=orders": (200, GIVEN_UP),
        "POST /rekey?connector=orders&batch=0000000000000001-2": (200, GIVEN_UP),
        "GET /archive": (200, {"archive": BATCHES}),
        "GET /archive?connector=orders": (200, {"archive": BATCHES}),
        "POST /archive/retry?connector=orders": (200, GIVEN_UP),
        "POST /archive/discard?connector=orders": (200, GIVEN_UP),
        "POST /archive/discard?connector=orders&batch=0000000000000001-2": (200, GIVEN_UP),
        "POST /discard?connector=busy": (409, "objects of \"busy\" are being sent\n"),
        "POST /archive/retry?connector=busy": (503, "the spool is being read\n"),
    }
    yield made
    made.close()


def at_terminal(
    installation: Installation, typed: str, *arguments: str
) -> subprocess.CompletedProcess:
    """Runs sluicectl with a terminal as its input."""
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, typed.encode())
        return subprocess.run(
            [binary("sluicectl"), *arguments, "--config", installation.config], stdin=terminal,
            capture_output=True, text=True, timeout=30)
    finally:
        os.close(keyboard)
        os.close(terminal)


@pytest.mark.parametrize(("arguments", "asked", "said"), [
    (["pause", "orders"], "POST /pause?connector=orders", "connector orders is paused"),
    (["resume", "orders"], "POST /resume?connector=orders", "connector orders sends"),
    (["discard", "orders", "--yes"], "POST /discard?connector=orders",
     "gave up 3 objects with 1,234 events (5.6 MB) of connector orders"),
    (["rekey", "orders"], "POST /rekey?connector=orders",
     "new keys for 3 objects with 1,234 events (5.6 MB) of connector orders"),
    (["rekey", "orders", "0000000000000001-2"],
     "POST /rekey?connector=orders&batch=0000000000000001-2", "new keys for 3 objects"),
    (["archive", "retry", "orders"], "POST /archive/retry?connector=orders",
     "3 objects with 1,234 events (5.6 MB) of connector orders wait to be delivered again"),
    (["archive", "discard", "orders", "--yes", "0000000000000001-2"],
     "POST /archive/discard?connector=orders&batch=0000000000000001-2",
     "gave up 3 objects with 1,234 events (5.6 MB) archived for connector orders"),
])
def test_a_command_asks_once_and_says_what_came_of_it(
    installation, control, arguments, asked, said
):
    result = installation.sluicectl(*arguments)
    assert result.returncode == 0, result.stderr
    assert control.asked == [asked]
    assert said in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(("arguments", "status", "said"), [
    (["pause", "nobody"], 1, "there is nothing at /pause?connector=nobody"),
    (["pause", "No Name"], 1, "there is no connector \"No Name\""),
    (["discard", "busy", "--yes"], 1, "objects of \"busy\" are being sent"),
    (["archive", "retry", "busy"], 75, "the spool is being read"),
    (["archive", "retry", "orders", "a/b?c"], 64, "\"a/b?c\" is no batch"),
    (["rekey", "orders", "a/b?c"], 64, "\"a/b?c\" is no batch"),
    (["rekey", "nobody"], 1, "there is nothing at /rekey?connector=nobody"),
])
def test_a_refusal_is_told_and_gives_the_status(installation, control, arguments, status, said):
    result = installation.sluicectl(*arguments)
    assert result.returncode == status
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("answer", ["{}", "[]", "nonsense", '{"paused":true}'])
def test_an_answer_that_is_none_is_not_taken_for_success(installation, control, answer):
    for target in ("resume", "discard", "archive/retry"):
        control.answers[f"POST /{target}?connector=orders"] = (200, answer)
    control.answers["GET /archive"] = (200, answer)
    for arguments in (["resume", "orders"], ["discard", "orders", "--yes"],
                      ["archive", "retry", "orders"], ["archive", "list"]):
        result = installation.sluicectl(*arguments)
        assert (result.returncode, result.stdout) == (1, ""), arguments
        assert "do the versions fit together?" in result.stderr


@pytest.mark.parametrize("arguments", [["discard", "orders"], ["archive", "discard", "orders"]])
def test_without_a_terminal_nothing_is_given_up_unasked(installation, control, arguments):
    result = subprocess.run(
        [binary("sluicectl"), *arguments, "--config", installation.config],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert result.returncode == 64
    assert "--yes" in result.stderr
    assert control.asked == []


@pytest.mark.parametrize(("connector", "typed", "given_up"), [
    ("orders", "y\n", True), ("old-shop", "YES\n", True), ("orders", "\n", False),
    ("orders", "no\n", False), ("orders", "\x04", False),
])
def test_discard_asks_with_what_is_at_stake(installation, control, connector, typed, given_up):
    result = at_terminal(installation, typed, "discard", connector)
    assert (f"Give up 3 objects with 1,234 events (5.6 MB) held for connector {connector}?"
            in result.stderr)
    assert result.returncode == (0 if given_up else 1)
    assert control.asked == ["GET /status", f"POST /discard?connector={connector}"][:1 + given_up]
    assert ("nothing was given up" in result.stderr) != given_up


def test_discard_does_not_ask_about_nothing(installation, control):
    control.answers["GET /status"] = (200, STATUS | {
        "connectors": [{"name": "orders", "state": "delivering", "held": {"objects": 0}}]})
    result = at_terminal(installation, "", "discard", "orders")
    assert (result.returncode, result.stdout) == (0, "nothing is held for connector orders\n")
    assert control.asked == ["GET /status"]


def test_archive_discard_asks_about_the_batch_that_is_named(installation, control):
    result = at_terminal(
        installation, "y\n", "archive", "discard", "orders", "0000000000000001-2")
    assert "Give up 1 object with 2,000 events (50 kB) archived" in result.stderr
    assert result.returncode == 0
    assert control.asked[-1].endswith("&batch=0000000000000001-2")


def test_archive_list_shows_each_batch_and_their_sum(installation, control):
    result = installation.sluicectl("archive", "list")
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "BATCH", "CONNECTOR", "EVENT", "TYPE", "EVENTS", "SIZE", "ACCEPTED"]
    assert lines[1].split() == [
        "0000000000000001-1", "orders", "shop.Order", "1,000", "50", "kB", "2026-11-20T09:00:00Z"]
    assert lines[-1] == "together 2 objects with 3,000 events (100 kB)"
    asked = installation.sluicectl("archive", "list", "orders", "--json")
    assert json.loads(asked.stdout) == {"archive": BATCHES}
    control.answers["GET /archive"] = (200, {"archive": []})
    assert installation.sluicectl("archive", "list").stdout == "nothing is archived\n"


# --- The daemon itself -----------------------------------------------------------------------------


def status(installation: Installation) -> dict:
    return json.loads(installation.sluicectl("status", "orders", "--json").stdout)


@pytest.fixture
def paused(installation, destination, producer):
    """A daemon with a paused connector, for which 100 events are held."""
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys)
    daemon = installation.start()
    assert installation.sluicectl("pause", "orders").returncode == 0
    installation.drop("a.jsonl", producer.lines(100, event_type="shop.Order"), "orders")
    daemon.wait_until(
        lambda: installation.sluicectl("flush", "orders").returncode == 0
        and status(installation)["held"]["events"] == 100,
        "all events are held")
    return daemon


def test_a_paused_connector_sends_nothing_until_it_is_resumed(installation, destination, paused):
    shown = installation.sluicectl("status")
    assert "paused" in shown.stdout
    assert destination.objects() == {}
    resumed = installation.sluicectl("resume", "orders")
    assert resumed.stdout == "connector orders sends\n"
    paused.wait_until(lambda: len(destination.objects()) == 1, "the object is delivered")


def test_what_is_discarded_is_counted_and_never_sent(installation, destination, paused):
    given_up = installation.sluicectl("discard", "orders", "--yes")
    assert given_up.returncode == 0, given_up.stderr
    assert given_up.stdout.startswith("gave up 1 object with 100 events (")
    told = paused.wait_for("events discarded", "orders")
    assert told.fields["SLUICE_DROPPED_EVENTS"] == "100"
    paused.wait_until(lambda: status(installation)["held"]["objects"] == 0, "nothing is held")
    assert installation.sluicectl("resume", "orders").returncode == 0
    again = installation.sluicectl("discard", "orders", "--yes")
    assert again.stdout == "nothing is held for connector orders\n"
    assert destination.objects() == {}


def test_an_archive_that_is_empty_says_so(installation, paused):
    assert installation.sluicectl("archive", "list").stdout == "nothing is archived\n"
    refused = installation.sluicectl("archive", "retry", "orders")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "there is nothing in the archive of connector \"orders\"" in refused.stderr
    unknown = installation.sluicectl("pause", "nobody")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert 'there is no connector "nobody"' in unknown.stderr


def test_an_archived_batch_is_delivered_after_all(installation, destination, producer):
    installation.connector(
        "orders", destination.bucket, destination.s3.endpoint, destination.keys,
        batch={"max_age": "1s"}, expire_after="2s", on_expiry="archive")
    daemon = installation.start()
    installation.drop("a.jsonl", producer.lines(10, event_type="shop.Order"), "orders")
    daemon.wait_until(lambda: len(destination.objects()) == 1, "the credentials have worked")

    installation.set_secret("orders", "wrong")
    installation.drop("b.jsonl", producer.lines(20, event_type="shop.Order"), "orders")

    def archive() -> list[dict]:
        listed = installation.sluicectl("archive", "list", "orders", "--json")
        return json.loads(listed.stdout)["archive"]

    daemon.wait_until(archive, "the batch has expired", seconds=60)
    (batch,) = archive()
    assert (batch["connector"], batch["event_type"], batch["events"]) == (
        "orders", "shop.Order", 20)
    table = installation.sluicectl("archive", "list").stdout
    assert batch["batch"] in table and "together 1 object with 20 events" in table

    installation.set_secret("orders", destination.keys.secret_access_key)
    installation.drop("c.jsonl", producer.lines(30, event_type="shop.Order"), "orders")
    daemon.wait_until(lambda: len(destination.objects()) == 2, "the credentials work again",
                      seconds=60)
    retried = installation.sluicectl("archive", "retry", "orders", batch["batch"])
    assert retried.returncode == 0, retried.stderr
    assert retried.stdout.startswith("1 object with 20 events (")
    daemon.wait_until(lambda: batch["key"] in destination.objects(), "it is delivered")
    assert archive() == []


def test_what_a_removed_connector_left_can_be_discarded(installation, destination, paused):
    (installation.connectors / "orders.toml").unlink()
    paused.reload()

    def orphans() -> list[dict]:
        return json.loads(installation.sluicectl("status", "--json").stdout)["orphans"]

    paused.wait_until(lambda: [orphan["name"] for orphan in orphans()] == ["orders"], "it is left")
    given_up = installation.sluicectl("discard", "orders", "--yes")
    assert given_up.stdout.startswith("gave up 1 object with 100 events ("), given_up.stderr
    paused.wait_until(lambda: orphans() == [], "nothing is left")
    assert destination.objects() == {}
