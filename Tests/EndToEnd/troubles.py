"""Many faults at once: a connector for each, in one daemon, so that their waits pass together.

For each of them it is checked that what a person reads is one line, that nothing is lost or doubled, and
that all recovers once the fault is mended.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from daemon import Daemon, Line
from installation import Installation
from objects import assert_same_events, events_in
from wire import Fault, Wire

QUICK = {"max_age": "1s"}
ROLE = "arn:aws:iam::123456789012:role/sluice"


def port_of(scripted_s3) -> int:
    return int(scripted_s3.endpoint.rsplit(":", 1)[1])


class Case(NamedTuple):
    name: str
    """Of the connector, and of its bucket."""
    fault: Fault | None
    says: str
    """A pattern that the one line has to match."""
    kind: str = "unreachable"
    ends: str = "reachable"
    """The kind of the line that tells of the end."""


@contextlib.contextmanager
def wires(cases: list[Case], port: int) -> Iterator[dict[str, Wire]]:
    """A wire with the fault of each case before the server at a port, by name."""
    with contextlib.ExitStack() as stack:
        yield {case.name: stack.enter_context(Wire(port, case.fault)) for case in cases}


def told(daemon: Daemon, connector: str) -> list[Line]:
    """The troubles of a connector, but for how verifying it went at the start."""
    return [line for line in daemon.troubles()
            if line.connector == connector and line.kind != "connector not verified"]


def assert_clear(daemon: Daemon, case: Case) -> None:
    """The connector's trouble is one line of the right kind, which names it and says what the case says."""
    lines = told(daemon, case.name)
    assert [line.kind for line in lines] == [case.kind], f"{case.name}\n{daemon.transcript()}"
    message = lines[0].message
    assert message.startswith(f"connector {case.name}: "), message
    assert re.search(case.says, message), f"{case.says!r} is not in {message!r}"
    # What somebody else sent may not write lines or colours of its own into a journal.
    assert message.isprintable() and len(message) < 1000, repr(message)


def drop_for_each(
    installation: Installation, producer, cases: list[Case], count: int = 40, **members: object
) -> dict[str, list[bytes]]:
    """Drops events for each case's connector; answers them by its name."""
    dropped = {case.name: producer.lines(count, **members) for case in cases}
    for name, lines in dropped.items():
        installation.drop(f"{name}.jsonl", lines, name)
    return dropped


def assert_balanced(scripted_s3, dropped: dict[str, list[bytes]]) -> None:
    """Each connector's events are in its bucket once, and no key ever had two bodies."""
    for name, lines in dropped.items():
        assert_same_events(events_in(scripted_s3.objects(name)), lines)
    for key, entry in scripted_s3.summary().items():
        assert len(entry["bodies"]) == 1, f"{key} had {len(entry['bodies'])} bodies"


def see_through(
    installation: Installation, scripted_s3, producer, cases: list[Case], mend: Callable[[Daemon], None],
    seconds: float = 60, **members: object
) -> Daemon:
    """Plays all cases from the first failure to the last delivery; their connectors are configured."""
    dropped = drop_for_each(installation, producer, cases, event_type="shop.Order", **members)
    daemon = installation.start()
    for case in cases:
        daemon.wait_for(case.kind, case.name, seconds=seconds)
    held = {path.parent.name for path in installation.spool.glob("sealed/*/*.envelope")}
    assert held >= set(dropped), "something that failed is not held"
    mend(daemon)
    daemon.wait_until(
        lambda: not installation.waiting(), "everything was delivered", seconds=seconds)
    for case in cases:
        daemon.wait_for(case.ends, case.name)
        assert_clear(daemon, case)
    assert_balanced(scripted_s3, dropped)
    return daemon
