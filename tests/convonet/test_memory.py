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


THREADS = """
import json, threading
from convonet import memory

memory.limit_growth(40)
done = threading.Event()
threads = [threading.Thread(target=done.wait) for _ in range(24)]
for thread in threads:
    thread.start()
done.set()
for thread in threads:
    thread.join()

def recurse():
    try:
        json.dumps(deep)
    except RecursionError:
        print("as deep as Python lets it")

deep = []
for _ in range(10_000):
    deep = [deep]
last = threading.Thread(target=recurse)
last.start()
last.join()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit this")
def test_threads_take_little_of_it_and_still_bear_a_deep_recursion() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "as deep as Python lets it\n"
