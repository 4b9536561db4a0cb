"""Signals at any moment: they end the daemon in time, or not at all, and cost no event."""

import os
import pathlib
import random
import resource
import signal
import subprocess
import time

import pytest

from installation import binary
from objects import assert_same_events, events_in

BUCKET = "scripted"
BATCH = {"max_events": 40, "max_age": "1s"}
ROUNDS = int(os.environ.get("SLUICE_TERM_ROUNDS", "15"))
STOPPED = float(os.environ.get("SLUICE_STOPPED_SECONDS", "2"))
"""How long the process is stopped. A transfer is given up after 90 s; the tests are quick by default."""


@pytest.fixture
def store(installation, scripted_s3):
    """The S3 of a connector "orders"."""
    installation.connector(
        "orders", BUCKET, scripted_s3.endpoint, scripted_s3.KEYS, batch=BATCH)
    return scripted_s3


def assert_delivered_once(store, lines: list[bytes]) -> None:
    assert_same_events(events_in(store.objects(BUCKET)), lines)
    for name, entry in store.summary().items():
        assert len(entry["bodies"]) == 1, f"{name} had {len(entry['bodies'])} bodies"


def signals_of(pid: int, which: str) -> set[int]:
    """The signals that a process blocks ("SigBlk"), ignores ("SigIgn") or catches ("SigCgt"): proc(5)."""
    fields = dict(line.split(":\t", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    mask = int(fields[which], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def is_told_by_signals(daemon) -> bool:
    """Whether it has come so far that SIGTERM does not just kill it."""
    blocked = signals_of(daemon.pid, "SigBlk")
    # While a thread is made, all of them are blocked.
    return signal.SIGTERM in signals_of(daemon.pid, "SigCgt") or (
        signal.SIGTERM in blocked and signal.SIGUSR1 not in blocked)


def test_sigterm_at_random_moments_ends_it_in_time_and_costs_nothing(installation, store, producer):
    seed = int(os.environ.get("SLUICE_SEED", random.randrange(2**32)))
    print(f"seed {seed}")
    rng = random.Random(seed)
    lines: list[bytes] = []
    slowest = 0.0
    # Now and then the store takes its time, so uploads are under way at the end.
    store.script({"method": "PUT", "do": "hang", "seconds": 0.4, "times": None, "probability": 0.2,
                  "seed": seed})
    for number in range(ROUNDS):
        for file in range(3):
            more = producer.lines(rng.randrange(1, 150))
            lines += more
            installation.drop(f"{number}-{file}.jsonl", more, "orders")
        daemon = installation.start(wait=False)
        daemon.wait_until(lambda: is_told_by_signals(daemon), "it took signals")
        # From before its first look at the spool to long after its first delivery.
        time.sleep(rng.choice([0.02, 0.1, 0.5]) * rng.random())
        began = time.monotonic()
        assert daemon.stop(seconds=5) == 0, daemon.transcript()
        slowest = max(slowest, time.monotonic() - began)
        assert not daemon.troubles(), daemon.transcript()
    print(f"{ROUNDS} rounds, the slowest end took {slowest:.1f} s")
    store.mend()
    installation.drain()
    assert_delivered_once(store, lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_during_the_start_is_not_lost(installation, store, number):
    rng = random.Random(7)
    for _ in range(ROUNDS):
        daemon = installation.start(wait=False)
        daemon.wait_until(lambda: is_told_by_signals(daemon), "it took signals")
        # Most of what a start does is done within these.
        time.sleep(0.05 * rng.random())
        daemon.signal(number)
        if number == signal.SIGHUP:
            daemon.wait_for("started")
            daemon.wait_for("reloaded")
            daemon.kill()
        else:
            assert daemon.wait(5) == 0, daemon.transcript()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_told_twice_ends_it_once(installation, store, producer, number):
    lines = producer.lines(300)
    installation.drop("a.jsonl", lines, "orders")
    store.script({"method": "PUT", "do": "hang", "times": None})
    daemon = installation.start()
    daemon.wait_until(lambda: store.requests("PUT"), "an attempt was under way")
    daemon.signal(number)
    daemon.wait_for("stopping")
    daemon.signal(number)
    assert daemon.wait(5) == 0
    assert len(daemon.said("stopping")) == 1
    store.mend()
    installation.drain()
    assert_delivered_once(store, lines)


def test_a_storm_of_sighup_while_it_delivers_costs_nothing(installation, store, producer):
    lines = producer.lines(12_000)
    daemon = installation.start()
    for number in range(6):
        installation.drop(f"{number}.jsonl", lines[number::6], "orders")
    for number in range(200):
        daemon.reload()
        time.sleep(0.005)
    # What was edited last is what holds in the end.
    installation.connector(
        "orders", BUCKET, store.endpoint, store.KEYS, batch=BATCH, folder="after")
    reloads = len(daemon.said("reloaded"))
    daemon.reload()
    daemon.wait_for("reloaded", count=reloads + 1)
    daemon.wait_until(
        lambda: not installation.waiting(), "everything was delivered", seconds=60)
    daemon.wait_until(
        lambda: installation.status("orders")["folder"] == "after", "the last edit holds")
    more = producer.lines(50)
    installation.drop("more.jsonl", more, "orders")
    daemon.wait_until(lambda: not installation.waiting(), "the rest was delivered")
    assert_delivered_once(store, lines + more)
    assert any(key.startswith("after/") for key in store.objects(BUCKET))
    assert not daemon.troubles(), daemon.transcript()


@pytest.mark.parametrize("way", ["its reader is gone", "nobody reads it", "it was never open"])
def test_a_journal_that_takes_nothing_ends_nothing(installation, store, producer, way):
    """Standard error is a pipe whose other end is closed or forgotten, or no file at all."""
    (reading, writing) = os.pipe()
    command = [binary("sluiced"), "--config", installation.config]
    if way == "it was never open":
        command = ["sh", "-c", 'exec "$0" "$@" 2>&- <&- >&-', *command]
    lines = producer.lines(3000)
    if way == "nobody reads it":
        # Full, so that whoever writes a line into it waits for ever.
        os.set_blocking(writing, False)
        while True:
            try:
                os.write(writing, b"x" * 4096)
            except BlockingIOError:
                break
        os.set_blocking(writing, True)
    with subprocess.Popen(command, stderr=writing, stdin=subprocess.DEVNULL,
                          env={**os.environ, **installation.environment}) as process:
        try:
            os.close(writing)
            if way == "its reader is gone":
                os.close(reading)
            installation.drop("a.jsonl", lines, "orders")
            deadline = time.monotonic() + 30
            while installation.waiting():
                assert process.poll() is None, f"it ended with {process.returncode}"
                assert time.monotonic() < deadline, "not everything was delivered"
                time.sleep(0.02)
            assert installation.status("orders")["held"]["events"] == 0
            if way == "it was never open":
                # Else the first file or connection that it opened would get its lines.
                for number in range(3):
                    assert os.readlink(f"/proc/{process.pid}/fd/{number}") == "/dev/null"
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
        finally:
            process.kill()
            if way != "its reader is gone":
                os.close(reading)
    assert_delivered_once(store, lines)


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"do": "hang", "seconds": 0.5, "times": 4}, id="the answer comes"),
        pytest.param({"do": "lose", "times": 4}, id="the answer is lost"),
    ])
def test_a_process_that_was_stopped_while_an_answer_was_on_its_way_sends_nothing_twice(
    installation, store, producer, rule
):
    lines = producer.lines(400, event_type="a.b")
    store.script({"method": "PUT"} | rule)
    daemon = installation.start()
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_until(lambda: store.requests("PUT"), "an upload was under way")
    daemon.signal(signal.SIGSTOP)
    before = len(store.requests())
    time.sleep(STOPPED)
    # What had been sent may still arrive; nothing new leaves.
    assert len(store.requests("PUT")) <= before + 4
    daemon.signal(signal.SIGCONT)
    daemon.wait_until(
        lambda: not installation.waiting(), "everything was delivered", seconds=60)
    assert_delivered_once(store, lines)
    if rule["do"] == "hang":
        assert all(entry["puts"] == 1 for entry in store.summary().values())


def test_files_that_came_while_it_was_stopped_are_found_though_inotify_overflowed(
    installation, store, producer
):
    most = int(pathlib.Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 100_000:
        pytest.skip(f"this machine queues {most} events of inotify")
    daemon = installation.start()
    first = producer.lines(50)
    installation.drop("first.jsonl", first, "orders")
    daemon.wait_until(lambda: not installation.waiting(), "the first file was delivered")
    daemon.signal(signal.SIGSTOP)
    incoming = installation.incoming("orders")
    # Two files that come and go by turns: equal events in a row would be one. They are not for the daemon.
    outside = [installation.directory / name for name in ("x.tmp", "y.tmp")]
    for path in outside:
        path.touch()
    for number in range(most + 100):
        path = outside[number % 2]
        path.rename(incoming / path.name)
        (incoming / path.name).rename(path)
    lines = producer.lines(600)
    for number in range(20):
        installation.drop(f"{number}.jsonl", lines[number::20], "orders")
    daemon.signal(signal.SIGCONT)
    # Far sooner than the look that it takes every few minutes.
    daemon.wait_until(lambda: not installation.waiting(), "all files were found", seconds=60)
    assert_delivered_once(store, first + lines)
    assert not daemon.troubles(), daemon.transcript()


@pytest.mark.parametrize(
    "number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV])
def test_a_signal_that_it_does_not_know_ends_it_like_a_crash_and_costs_nothing(
    installation, store, producer, monkeypatch, number
):
    monkeypatch.chdir(installation.directory)
    lines = producer.lines(500)
    store.script({"method": "PUT", "do": "hang", "seconds": 0.5, "times": 2})
    daemon = installation.start()
    # As LimitCORE= of the unit has it.
    resource.prlimit(daemon.pid, resource.RLIMIT_CORE, (0, 0))
    installation.drop("a.jsonl", lines, "orders")
    daemon.wait_until(lambda: store.requests("PUT"), "an upload was under way")
    daemon.signal(number)
    assert daemon.wait(10) == -number
    assert not list(installation.directory.glob("*core*")), "it left its memory behind"
    installation.drain()
    assert_delivered_once(store, lines)
