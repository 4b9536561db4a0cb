"""Seeds that stand in the names of tests, so that a failure says how to see it again."""

import os
import random


def new_seed() -> int:
    """Another one in each run, and the same in all processes of a run."""
    # Each process that runs tests collects them all, and must find the same names.
    return random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID")).randrange(2**32)
