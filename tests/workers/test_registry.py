"""What is opened for who chose it: once, shared, a bounded number, never closed under anybody."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack

import pytest

from convonet import counters
from workers.registry import Registry


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Opening:
    """Opens names as services, and notes what was opened and closed."""

    def __init__(self, most: int = 2, idle_seconds: float = 60.0) -> None:
        self.clock = Clock()
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.registry: Registry[str, str] = Registry(
            self.closed.append, most=most, idle_seconds=idle_seconds, clock=self.clock
        )

    def use(self, name: str) -> str:
        with self.lease(name) as service:
            return service

    def lease(self, name: str) -> AbstractContextManager[str]:
        return self.registry.lease(name, lambda: self._open(name))

    def _open(self, name: str) -> str:
        self.opened.append(name)
        return name.upper()


@pytest.fixture
def opening() -> Opening:
    counters.take()
    return Opening()


def test_one_is_opened_when_it_is_first_wanted_and_then_shared(opening: Opening) -> None:
    assert len(opening.registry) == 0
    assert [opening.use("a") for _ in range(3)] == ["A"] * 3
    assert (opening.opened, opening.closed) == (["a"], [])


def test_the_least_recently_used_makes_room(opening: Opening) -> None:
    for name in ("a", "b", "a", "c"):
        opening.use(name)
    assert opening.closed == ["B"]
    assert "a" in opening.registry
    assert len(opening.registry) == 2


def test_what_is_in_use_is_not_closed_under_its_user(opening: Opening) -> None:
    with opening.lease("a"):
        for name in ("b", "c", "d"):
            opening.use(name)
        assert "A" not in opening.closed
        assert opening.use("a") == "A"
    assert opening.opened == ["a", "b", "c", "d"]
    assert opening.closed == ["B", "C"]


def test_more_in_use_than_may_stay_are_closed_as_their_users_are_done(opening: Opening) -> None:
    with ExitStack() as users:
        for name in ("a", "b", "c"):
            users.enter_context(opening.lease(name))
        assert len(opening.registry) == 3
        assert opening.closed == []
    assert len(opening.registry) == 2
    assert len(opening.closed) == 1


def test_an_evicted_one_is_closed_once_by_its_last_user(opening: Opening) -> None:
    first, second = opening.lease("a"), opening.lease("a")
    first.__enter__()
    second.__enter__()
    opening.registry.clear()
    assert len(opening.registry) == 0
    first.__exit__(None, None, None)
    assert opening.closed == []
    second.__exit__(None, None, None)
    assert opening.closed == ["A"]


def test_after_an_eviction_the_next_user_gets_a_new_one(opening: Opening) -> None:
    with opening.lease("a"):
        opening.registry.clear()
        opening.use("a")
        assert opening.opened == ["a", "a"]
    assert opening.closed == ["A"]


def test_what_nobody_wants_for_a_while_is_closed(opening: Opening) -> None:
    opening.use("a")
    opening.clock.now += 40
    opening.use("b")
    assert opening.registry.close_idle() == pytest.approx(20)
    opening.clock.now += 20
    assert opening.registry.close_idle() == pytest.approx(40)
    assert opening.closed == ["A"]
    opening.clock.now += 60
    with opening.lease("b"):
        assert opening.registry.close_idle() is None
    assert opening.closed == ["A"]


def test_one_that_cannot_be_opened_is_tried_again_and_takes_no_room(opening: Opening) -> None:
    def broken() -> str:
        raise ImportError("no such SDK")

    for _ in range(2):
        with pytest.raises(ImportError), opening.registry.lease("a", broken):
            pass
    assert len(opening.registry) == 0
    assert opening.use("a") == "A"
    assert opening.closed == []


def test_an_error_of_its_user_gives_it_back(opening: Opening) -> None:
    with pytest.raises(KeyError), opening.lease("a"):
        raise KeyError
    opening.registry.clear()
    assert opening.closed == ["A"]


def test_one_that_does_not_close_keeps_nobody_from_going_on() -> None:
    def stuck(service: str) -> None:
        raise OSError(service)

    registry: Registry[str, str] = Registry(stuck, most=1)
    for name in ("a", "b"):
        with registry.lease(name, lambda name=name: name) as service:  # type: ignore[misc]
            assert service == name


def test_openings_evictions_and_closings_are_counted(opening: Opening) -> None:
    for name in ("a", "b", "c"):
        opening.use(name)
    opening.registry.clear()
    assert counters.take() == {
        "services_opened": 3,
        "services_evicted": 1,
        "services_closed": 3,
    }


def test_threads_that_ask_at_once_open_it_once() -> None:
    registry: Registry[str, object] = Registry(most=1)
    opened: list[object] = []
    together = threading.Barrier(8)

    def make() -> object:
        opened.append(object())
        return opened[-1]

    def ask() -> object:
        together.wait(60)
        with registry.lease("a", make) as service:
            return service

    with ThreadPoolExecutor(8) as threads:
        answers = [asked.result(60) for asked in [threads.submit(ask) for _ in range(8)]]
    assert len(opened) == 1
    assert set(map(id, answers)) == {id(opened[0])}


def test_an_opening_that_takes_long_holds_nobody_up_who_wants_another() -> None:
    registry: Registry[str, str] = Registry(most=2)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(60)
        return "slow"

    def ask() -> str:
        with registry.lease("slow", slow) as service:
            return service

    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(ask)
        assert begun.wait(60)
        with registry.lease("quick", lambda: "quick") as service:
            assert service == "quick"
        go_on.set()
        assert asked.result(60) == "slow"


def test_many_threads_leave_no_more_than_may_stay_and_nothing_unclosed() -> None:
    living: set[int] = set()
    lock = threading.Lock()
    wrong: list[str] = []

    class Service:
        def __init__(self) -> None:
            with lock:
                living.add(id(self))

    def close(service: Service) -> None:
        with lock:
            living.remove(id(service))

    registry: Registry[int, Service] = Registry(close, most=3)

    def work(seed: int) -> None:
        for step in range(300):
            with registry.lease((seed * 7 + step * step) % 11, Service) as service, lock:
                if id(service) not in living:
                    wrong.append("closed under its user")

    with ThreadPoolExecutor(6) as threads:
        for done in [threads.submit(work, seed) for seed in range(6)]:
            done.result(60)
    assert wrong == []
    assert len(registry) == len(living) == 3
    registry.clear()
    assert living == set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_has_what_was_open_and_waits_for_no_thread_of_its_parent() -> None:
    registry: Registry[str, str] = Registry(most=2)
    with registry.lease("a", lambda: "A"):
        pass
    inside, leave = threading.Event(), threading.Event()

    def slow() -> str:
        inside.set()
        assert leave.wait(60)
        return "B"

    def hold() -> None:
        with registry.lease("b", slow):
            pass

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(60)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            with (
                registry.lease("a", lambda: "new") as old,
                registry.lease("b", lambda: "own") as own,
            ):
                code = 0 if (old, own) == ("A", "own") else 2
        finally:
            os._exit(code)
    leave.set()
    holder.join(60)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
