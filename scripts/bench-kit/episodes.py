"""What rejected credentials cost the other connectors: their speed."""

import shutil
import statistics
import time

import drains
from workplace import Corpus, Workplace

REJECTED = "connector-4"
ALL_WELL, EPISODE = "all deliver", "one rejected"
EX_TEMPFAIL = 75


def compare(place: Workplace, corpus: Corpus, rounds: int) -> None:
    """Three connectors drain while the fourth does, or while its credentials are rejected."""
    ratios = []
    for number in range(rounds):
        took = {name: _drain(place, corpus, *rejected)
                for name, rejected in [(ALL_WELL, ()), (EPISODE, (REJECTED,))]}
        ratios.append(took[ALL_WELL] / took[EPISODE])
        print(f"Round {number + 1}: the three others took "
              + ", ".join(f"{seconds:.2f} s ({name})" for name, seconds in took.items())
              + f"; speed in the episode: {ratios[-1]:.2f} of the other", flush=True)
    print(f"\nMedian: {statistics.median(ratios):.2f}. Compare only within one run.")


def _drain(place: Workplace, corpus: Corpus, *rejected: str) -> float:
    """Seconds until the last object of the other connectors was stored."""
    with place.sink(corpus.bytes, *rejected) as sink:
        config = place.fill(corpus, sink.port, drains.FORMS["jsonl"].settings)
        began = time.time()
        place.drain(config, EX_TEMPFAIL if rejected else 0)
        ended = max(path.stat().st_mtime for path, _, key in sink.rows() if not key.startswith(f"{REJECTED}/"))
    shutil.rmtree(place.spool)
    return ended - began
