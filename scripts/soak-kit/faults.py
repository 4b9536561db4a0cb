"""What goes wrong, and when: a schedule that follows from the seed, and the hands that carry it out."""

import collections
import random
import signal
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from conversation import SECRET
from disk import Disk
from installation import BATCH, Installation
from producers import Producers
from store import Failure, Store
from supervisor import Supervisor
from world import CONNECTORS

CREDENTIAL_CODES = ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "InvalidToken",
                    "AllAccessDisabled"]
SHORT = [name for name, connector in CONNECTORS.items() if connector.window]
"""Connectors whose windows end while a soak runs."""
OPTIONAL = [name for name, connector in CONNECTORS.items() if connector.is_optional]

WEIGHTS = {
    "storm": 5, "reset": 3, "lost": 4, "hang": 3, "slow": 2, "denied": 3, "expiry": 3, "gone": 2,
    "secret": 2, "kill": 5, "term": 3, "stop": 2, "hup": 2, "without": 2, "batch": 2, "full": 2,
    "inodes": 1, "readonly": 2, "stall": 2,
}
"""Kinds of faults, and how often each comes among the others."""
DISK = {"full", "inodes", "readonly"}
ENDS_PROCESS = {"kill", "term"}
AT_CONNECTORS = {"storm", "reset", "lost", "hang", "slow", "denied", "expiry", "secret", "batch"}
"""Faults that concern some connectors and not others."""
MOMENTS = {"kill", "term", "hup"}
"""Faults that are over as soon as they have come."""


class Fault(NamedTuple):
    at: float
    lasts: float
    kind: str
    connectors: frozenset[str]
    probability: float
    code: str
    seed: int


def plan(seed: int, cycle: int, seconds: float, *, kills: bool, disk: bool) -> list[Fault]:
    """The faults of one cycle, about one every three seconds, some of them at the same time."""
    rng = random.Random(f"{seed} cycle {cycle}")
    faults: list[Fault] = []
    for _ in range(max(6, int(seconds / 2.5))):
        kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        lasts = 0 if kind in MOMENTS else min(seconds / 2, rng.uniform(2, 12))
        if kind == "expiry":
            # A rejection comes when S3 is next asked, and one more after the window.
            lasts = min(seconds - 1, rng.uniform(18, 32))
        if kind == "stop":
            lasts = rng.uniform(0.5, 4)
        at = rng.uniform(0, max(0.0, seconds - lasts))
        some = rng.sample(list(CONNECTORS), rng.randint(1, len(CONNECTORS)))
        chosen = frozenset(CONNECTORS if rng.random() < 0.3 else some)
        if kind == "expiry":
            chosen = frozenset(rng.sample(SHORT, rng.randint(1, len(SHORT))))
        code = ""
        if kind == "storm":
            code = rng.choice(["InternalError", "SlowDown", "ServiceUnavailable"])
        if kind in ("denied", "expiry"):
            code = rng.choice(CREDENTIAL_CODES)
        probability = rng.choice([0.3, 0.5, 1]) if kind != "expiry" else 1
        if kind in ("lost", "reset", "hang"):
            probability = rng.choice([0.2, 0.5, 0.9])
        if kind not in AT_CONNECTORS:
            chosen, probability = frozenset(), 1
        fault = Fault(at, lasts, kind, chosen, probability, code, rng.getrandbits(32))
        if (kind in ENDS_PROCESS and not kills) or (kind in DISK and not disk):
            continue
        if any(_collide(fault, other) for other in faults):
            continue
        faults.append(fault)
    return sorted(faults)


def _collide(one: Fault, other: Fault) -> bool:
    """Whether two faults cannot be at the same time: they turn the same screw."""
    same = one.kind == other.kind and one.kind not in ("kill", "storm", "lost", "reset", "hang", "slow")
    apart = one.at > other.at + other.lasts + 1 or other.at > one.at + one.lasts + 1
    return not apart and (same or {one.kind, other.kind} <= DISK)


class Injector:
    """Carries out a plan, a thread for each fault."""

    def __init__(
        self, store: Store, supervisor: Supervisor, installation: Installation,
        producers: Producers, disk: Disk | None
    ):
        self._store, self._supervisor, self._installation = store, supervisor, installation
        self._producers, self._disk = producers, disk
        self._lock = threading.Lock()
        self.counts: collections.Counter = collections.Counter()
        """Faults that were there, by kind."""
        self.seconds: collections.Counter = collections.Counter()
        self._in_force: list[str] = []
        self._configuration = threading.RLock()

    @property
    def in_force(self) -> list[str]:
        with self._lock:
            return sorted(set(self._in_force))

    def run(self, faults: list[Fault], over: threading.Event) -> list[threading.Thread]:
        """Begins; when all threads have ended, everything is mended. `over` ends all of them early."""
        began = time.monotonic()
        threads = [threading.Thread(target=self._carry_out, args=(fault, began, over))
                   for fault in faults]
        for thread in threads:
            thread.start()
        return threads

    def _carry_out(self, fault: Fault, began: float, over: threading.Event) -> None:
        if over.wait(max(0.0, began + fault.at - time.monotonic())):
            return
        ended = threading.Event()
        mend: Callable[[], None] | None
        with self._lock:
            self._in_force.append(fault.kind)
        since = time.monotonic()
        try:
            mend = getattr(self, f"_{fault.kind}")(fault, ended)
            if mend is None:
                return
            over.wait(fault.lasts)
            ended.set()
            mend()
            self.counts[fault.kind] += 1
            self.seconds[fault.kind] += time.monotonic() - since
        finally:
            with self._lock:
                self._in_force.remove(fault.kind)

    # Each begins a fault and answers how it is mended; None where it could not begin.

    def _fail(self, fault: Fault, _: threading.Event) -> Callable[[], None]:
        kind = "denied" if fault.kind == "expiry" else fault.kind
        failure = Failure(kind, fault.connectors, fault.probability, random.Random(fault.seed),
                          fault.code, threading.Event())
        self._store.fail(failure)
        return lambda: self._store.mend(failure)

    _storm = _reset = _lost = _hang = _slow = _denied = _expiry = _fail

    def _gone(self, *_: object) -> Callable[[], None]:
        self._store.close()
        return self._store.open

    def _secret(self, fault: Fault, _: threading.Event) -> Callable[[], None]:
        def write(secret: str) -> None:
            for name in fault.connectors:
                self._installation.set_secret(name, secret)
        write("this-is-not-the-secret")
        return lambda: write(SECRET)

    def _kill(self, *_: object) -> Callable[[], None]:
        with self._supervisor.control:
            self._supervisor.kill()
            self._supervisor.start()
        return lambda: None

    def _term(self, *_: object) -> Callable[[], None]:
        with self._supervisor.control:
            self._supervisor.terminate()
            self._supervisor.start()
        return lambda: None

    def _stop(self, *_: object) -> Callable[[], None]:
        self._supervisor.control.acquire()
        self._supervisor.signal(signal.SIGSTOP)

        def go_on() -> None:
            self._supervisor.signal(signal.SIGCONT)
            self._supervisor.control.release()
        return go_on

    def _hup(self, *_: object) -> Callable[[], None]:
        self._supervisor.signal(signal.SIGHUP)
        return lambda: None

    def _without(self, *_: object) -> Callable[[], None]:
        """Connectors leave the configuration, and come back."""
        for name in OPTIONAL:
            self._installation.remove(name)
        self._supervisor.signal(signal.SIGHUP)

        def restore() -> None:
            for name in OPTIONAL:
                self._installation.install(name)
            self._supervisor.signal(signal.SIGHUP)
        return restore

    def _batch(self, fault: Fault, _: threading.Event) -> Callable[[], None]:
        def write(batch: dict[str, object]) -> None:
            for name in fault.connectors - set(OPTIONAL):
                self._installation.install(name, batch)
            self._supervisor.signal(signal.SIGHUP)
        dice = random.Random(fault.seed)
        write({"max_events": dice.choice([50, 500, 15_000]), "max_age": f'"{dice.randint(1, 4)}s"'})
        return lambda: write(BATCH)

    def _stall(self, *_: object) -> Callable[[], None]:
        self._supervisor.stall()
        return self._supervisor.unstall

    def _full(self, _: Fault, ended: threading.Event) -> Callable[[], None]:
        return self._take_all(self._disk.fill, ended)

    def _inodes(self, _: Fault, ended: threading.Event) -> Callable[[], None]:
        return self._take_all(self._disk.use_up_inodes, ended)

    def _take_all(
        self, take: Callable[[threading.Event], None], ended: threading.Event
    ) -> Callable[[], None]:
        self._supervisor.disk_fails.set()
        taker = threading.Thread(target=take, args=(ended,))
        taker.start()

        def free() -> None:
            taker.join()
            self._disk.free()
            self._supervisor.disk_is_mended()
        return free

    def _readonly(self, *_: object) -> Callable[[], None] | None:
        self._supervisor.disk_fails.set()
        # The producers' own open files would keep it writable.
        self._producers.pause()
        done = self._disk.make_read_only(seconds=5)
        self._producers.resume()
        if not done:
            self._supervisor.disk_is_mended()
            return None

        def mend() -> None:
            self._disk.make_writable()
            self._supervisor.disk_is_mended()
        return mend
