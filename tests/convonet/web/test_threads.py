"""Threads for requests: how many, in which order, what is refused, and when they end."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from convonet import counters
from convonet.web import threads as module
from convonet.web.threads import Busy, Threads

PATIENCE = 60


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    before = counters.take()
    yield
    counters.take()
    counters.give_back(before)


class Gate:
    """Jobs that wait until they may go on, and tell that they have begun."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()

    def job(self) -> str:
        self.begun.release()
        assert self.open.wait(PATIENCE)
        return threading.current_thread().name

    def wait_for(self, number: int) -> None:
        for _ in range(number):
            assert self.begun.acquire(timeout=PATIENCE)


def test_no_more_jobs_run_at_once_than_there_may_be_threads() -> None:
    gate, pool = Gate(), Threads("few", 2, waiting=50)
    futures = [pool.submit(gate.job) for _ in range(40)]
    gate.wait_for(2)
    assert pool.threads == 2
    assert not gate.begun.acquire(timeout=0.05)
    gate.open.set()
    assert {future.result(PATIENCE) for future in futures} == {"few"}
    assert pool.threads == 2


def test_who_comes_first_is_served_first() -> None:
    gate, pool, order = Gate(), Threads("one", 1, waiting=50), list[int]()
    first = pool.submit(gate.job)
    rest = [pool.submit(order.append, number) for number in range(20)]
    gate.open.set()
    first.result(PATIENCE)
    for future in rest:
        future.result(PATIENCE)
    assert order == list(range(20))


def test_what_may_not_wait_any_more_is_refused_and_counted() -> None:
    gate, pool = Gate(), Threads("small", 1, waiting=2)
    futures = [pool.submit(gate.job) for _ in range(3)]
    with pytest.raises(Busy):
        pool.submit(gate.job)
    assert counters.take() == {"requests_refused": 1}
    gate.open.set()
    for future in futures:
        future.result(PATIENCE)
    assert pool.submit(str, 7).result(PATIENCE) == "7"


def test_a_long_wait_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG_SECONDS", -1.0)
    assert Threads("slow", 1, waiting=1).submit(str, 1).result(PATIENCE) == "1"
    assert counters.take() == {"requests_waited": 1}


def test_idle_threads_part_and_end_and_come_back_when_there_is_work() -> None:
    parted, ended = list[str](), threading.Semaphore(0)
    pool = Threads(
        "brief",
        2,
        waiting=5,
        idle_seconds=0.01,
        parting=lambda: parted.append(threading.current_thread().name),
        ended=ended.release,
    )
    for round_ in range(1, 3):
        assert pool.submit(str, round_).result(PATIENCE) == str(round_)
        assert ended.acquire(timeout=PATIENCE)
        assert pool.threads == 0
        assert parted == ["brief"] * round_


def test_work_that_comes_while_threads_end_is_done() -> None:
    pool = Threads("edge", 2, waiting=500, idle_seconds=0.0)
    for number in range(500):
        assert pool.submit(int, number).result(PATIENCE) == number


def test_an_error_reaches_who_asked_and_the_thread_goes_on() -> None:
    pool = Threads("sound", 1, waiting=2)
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 / 0).result(PATIENCE)
    assert pool.submit(str, 2).result(PATIENCE) == "2"
    assert pool.threads == 1


def test_who_gives_up_before_their_turn_costs_nothing() -> None:
    gate, pool, ran = Gate(), Threads("one", 1, waiting=5), list[int]()
    first = pool.submit(gate.job)
    gate.wait_for(1)
    given_up = pool.submit(ran.append, 1)
    assert given_up.cancel()
    gate.open.set()
    first.result(PATIENCE)
    pool.submit(ran.append, 2).result(PATIENCE)
    assert ran == [2]


def test_nothing_of_a_job_is_kept_when_it_is_done() -> None:
    class Large: ...

    pool = Threads("clean", 1, waiting=1)

    def fail(large: Large) -> None:
        raise ValueError(large)

    def ask() -> tuple[weakref.ref[Large], Future[None]]:
        large = Large()
        return weakref.ref(large), pool.submit(fail, large)

    gc.disable()
    try:
        kept, future = ask()
        assert isinstance(future.exception(PATIENCE), ValueError)
        del future
        # Its successor runs after the thread has let go of it.
        pool.submit(str, 1).result(PATIENCE)
        assert kept() is None
    finally:
        gc.enable()
