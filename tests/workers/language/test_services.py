"""The models a child has open: bounded, bound to tools once, closed on the loop that asked them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from workers.language.models import Member, Models
from workers.language.services import MOST_BOUND, Opened, Services


class Model:
    """`closed` are those that were closed, on a running loop."""

    closed: list[str]

    def __init__(self, name: str, closed: list[str]) -> None:
        self.model_name, self.closed = name, closed
        self.bound = 0

    def bind_tools(self, tools: Sequence[Any]) -> tuple[Any, int]:
        self.bound += 1
        return self, self.bound

    async def close(self) -> None:
        asyncio.get_running_loop()
        self.closed.append(self.model_name)


class Closing(Member):
    """A member whose model has a client that must be closed."""

    def _closing(self) -> Callable[[Model], Any]:
        return Model.close


def members(services: Services, closed: list[str], *names: str) -> list[Member]:
    return [
        Closing(name, lambda name=name: Model(name, closed), services=services)  # type: ignore[misc]
        for name in names
    ]


async def test_the_one_asked_longest_ago_is_closed_for_another() -> None:
    closed: list[str] = []
    a, b, c = members(Services(2), closed, "a", "b", "c")
    for member in (a, b, a, c):
        with member.lease() as opened:
            assert opened.model.model_name == member.name == member.model_name
    await asyncio.wait_for(_until(closed, ["b"]), 60)
    with b.lease() as opened:
        assert opened.model.model_name == "b"


async def test_one_that_answers_is_not_closed_before_it_has() -> None:
    closed: list[str] = []
    services = Services(1)
    a, b = members(services, closed, "a", "b")
    with a.lease():
        with b.lease():
            pass
        await services.close()
        assert closed == ["b"]
    await services.close()
    assert closed == ["b", "a"]


async def test_what_nobody_asks_is_closed_and_the_servers_own_choice_stays() -> None:
    closed: list[str] = []
    services = Services(9, idle_seconds=0.01)
    own, other = members(services, closed, "own", "other")
    assert own.model.model_name == "own"
    with other.lease():
        pass
    await asyncio.wait_for(_until(closed, ["other"]), 60)
    model = own.model
    with own.lease() as opened:
        assert opened.model is model
    await Models([own, other]).close()
    assert closed == ["other", "own"]


async def test_tools_are_bound_once_for_each_list_of_a_bounded_number() -> None:
    model = Model("a", [])
    opened = Opened(model)
    lists: list[list[str]] = [[f"tool {n}"] for n in range(MOST_BOUND)]
    for _ in range(2):
        for tools in lists:
            opened.with_tools(tools)
    assert model.bound == MOST_BOUND
    opened.with_tools(["one more"])
    opened.with_tools(lists[-1])
    assert model.bound == MOST_BOUND + 1
    opened.with_tools(lists[0])
    assert model.bound == MOST_BOUND + 2
    assert opened.with_tools(()) is model


async def test_a_client_that_does_not_close_well_is_let_go_all_the_same() -> None:
    async def stuck(model: Any) -> None:
        raise OSError(model)

    services = Services()
    with services.lease("a", lambda: Opened("model", stuck)):
        pass
    await services.close()
    with services.lease("a", lambda: Opened("another")) as opened:
        assert opened.model == "another"


async def _until(closed: list[str], expected: list[str]) -> None:
    while closed != expected:  # noqa: ASYNC110  # on the loop's next rounds
        await asyncio.sleep(0)
