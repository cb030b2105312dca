"""Limits on what a process may still take."""

from __future__ import annotations

import subprocess
import sys

import pytest

# In a process of its own: a limit that fails would take the tests with it.
SCRIPT = """
from convonet import memory

def take(megabytes):
    try:
        return bool(bytearray(megabytes << 20))
    except MemoryError:
        return False

memory.limit_growth(100)
before = take(200)
with memory.growing():
    kept = bytearray(200 << 20)
print(before, take(60), take(200))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit this")
def test_what_is_loaded_in_mid_life_counts_as_there_and_the_limit_holds_for_the_rest() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["False", "True", "False"]
