"""Turns whose language providers fail in every way, in a real worker against their stand-ins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.standins.process import StandIns
from tests.workers.conftest import Caller, Environment
from tests.workers.processes import TodoServer, Worker
from todo.models import Todo
from voice.events import SentenceReady
from voice.models import Turn
from voice.uses import Why
from workers import outcome
from workers.language import failures

pytestmark = pytest.mark.service
StartWorker = Callable[..., Worker]
MILK: list[Any] = ["add_todos", {"items": [{"title": "buy milk"}]}]
# What each provider does, with the code that the turn and its uses must tell.
WAYS = {
    "key": failures.AUTH,
    "rate": failures.RATE,
    "server": failures.SERVER,
    "half": failures.HALF,
    "page": failures.GARBAGE,
    "broken": failures.GARBAGE,
}


@pytest.fixture
def todo_server(
    base_env: Environment, own_broker: str, transactional_db: None, tmp_path: Path
) -> Iterator[TodoServer]:
    env = base_env | {"CONVONET_VAR": str(tmp_path), "TEST_REDIS_URL": own_broker}
    server = TodoServer(env, tmp_path / "mcp.log")
    yield server
    server.stop()


@pytest.fixture
def start(
    start_worker: StartWorker, todo_server: TodoServer, standins: StandIns
) -> Callable[..., Worker]:
    """A worker that asks the stand-ins of these providers, in this order."""

    def started(*names: str, seconds: str = "12") -> Worker:
        env = standins.env | {"MODEL_DEADLINE_SECONDS": seconds, "TEST_TURN_SECONDS": "35"}
        env |= {"MCP_URL": todo_server.url, "LANGUAGE_MODEL": ",".join(names)}
        return start_worker("agent", **env)

    return started


def say(caller: Caller, *steps: dict[str, Any], **by_provider: list[dict[str, Any]]) -> Turn:
    """`steps` are for who has no script of its own."""
    return caller.say(json.dumps(by_provider | {"*": list(steps)}))


def uses(turn: Turn) -> list[tuple[str, str, str]]:
    return [(use.provider, use.why, use.error) for use in turn.uses.filter(stage="think")]


def spoken(caller: Caller, turn: Turn) -> str:
    events = [event for event in caller.events() if isinstance(event, SentenceReady)]
    return " ".join(event.text for event in events if event.turn_id == str(turn.pk))


def heard_why(caller: Caller, turn: Turn, code: str, providers: Sequence[str]) -> None:
    """The turn failed: its caller was told so and why, and its row and uses say the same."""
    failed = caller.fail(turn, 60)
    assert failed.code == turn.error == code
    assert failed.message == outcome.apology(code, [])
    assert failed.message.endswith("Nothing was changed. Please try again.")
    assert turn.reply.endswith(failed.message)
    assert spoken(caller, turn).endswith(failed.message)
    told = turn.uses.filter(stage="think")
    assert {(use.provider, use.error) for use in told} == {(name, code) for name in providers}


def test_every_failure_of_every_provider_is_told_truly_and_the_next_turn_works(
    start: Callable[..., Worker], caller: Caller
) -> None:
    names = ["anthropic", "google", "openai", "compatible"]
    worker = start(*names)
    for way, code in WAYS.items():
        turn = say(caller, {"say": "Milk is added, and bread.", "fail": way})
        heard_why(caller, turn, code, names)
        well = say(caller, {"say": f"Well after {way}."})
        assert caller.finish(well, 60).reply == f"Well after {way}."
    assert Todo.objects.count() == 0
    assert "Traceback" not in worker.output


def test_silence_is_given_up_told_truly_and_the_next_turn_works(
    start: Callable[..., Worker], caller: Caller
) -> None:
    names = ["anthropic", "google"]
    start(*names, seconds="2")
    heard_why(caller, say(caller, {"fail": "silence"}), failures.TIMEOUT, names)
    assert caller.finish(say(caller, {"say": "Here."}), 60).reply == "Here."


def test_the_next_provider_takes_over_in_the_middle_of_a_turn_and_a_sick_one_rests(
    start: Callable[..., Worker], caller: Caller, standins: StandIns
) -> None:
    start("anthropic", "openai")
    change: dict[str, Any] = {"tools": [MILK, ["show_lists", {}]]}
    lost: list[dict[str, Any]] = [change, {"say": "Milk is", "fail": "half"}]
    turn = say(caller, change, {"say": "I added milk."}, anthropic=lost)
    assert caller.finish(turn, 60).reply.endswith("I added milk.")
    assert [todo.title for todo in Todo.objects.all()] == ["buy milk"]
    assert uses(turn) == [
        ("anthropic", Why.SERVER, ""),
        ("anthropic", Why.SERVER, failures.HALF),
        ("openai", Why.FALLBACK, ""),
    ]
    assert all(use.tokens_in and use.tokens_out for use in turn.uses.filter(error=""))

    # Both fail after the change: what was done is told, and that no more was.
    turn = say(caller, change, {"fail": "server"})
    failed = caller.fail(turn, 60)
    assert failed.code == turn.error == failures.SERVER
    assert "This much was done: Added buy milk" in failed.message
    assert "Nothing else was changed." in failed.message
    assert Todo.objects.count() == 2

    refused = {"fail": "rate", "retry_after": 120}
    turn = say(caller, {"say": "Instead of the other."}, anthropic=[refused])
    assert caller.finish(turn, 60).reply == "Instead of the other."
    asked = [visit.provider for visit in standins.visits]
    turn = say(caller, {"say": "Still."})
    assert caller.finish(turn, 60).reply == "Still."
    assert uses(turn) == [("openai", Why.FALLBACK, "")]
    assert [visit.provider for visit in standins.visits] == [*asked, "openai"]
