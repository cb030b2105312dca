"""What is counted in a process, and kept until it is published."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from convonet import counters


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    before = counters.take()
    yield
    counters.take()
    counters.give_back(before)


def test_what_was_taken_is_not_counted_twice_and_what_is_given_back_is_not_lost() -> None:
    counters.add("fillers")
    counters.add("audio_dropped", 3)
    taken = counters.take()
    assert taken == {"fillers": 1, "audio_dropped": 3}
    assert counters.take() == {}
    counters.give_back(taken)
    counters.add("fillers")
    assert counters.take() == {"fillers": 2, "audio_dropped": 3}


def test_only_known_names_are_counted() -> None:
    with pytest.raises(KeyError):
        counters.add("anything a client may send")
    assert not counters.waiting()


def test_threads_lose_no_count() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: counters.add("fillers"), range(4000)))
    assert counters.take() == {"fillers": 4000}


def test_a_child_does_not_publish_what_its_parent_counted() -> None:
    counters.add("fillers")
    pid = os.fork()
    if not pid:
        counters.add("memory_errors")
        os._exit(0 if counters.take() == {"memory_errors": 1} else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert counters.take() == {"fillers": 1}
