"""A provider that breaks off, in a real worker: what the caller hears and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.workers.conftest import Caller
from tests.workers.processes import ToolServer, Worker
from voice.events import ReplyDelta, SentenceReady
from voice.models import CallPreferences, ProviderUse, Turn

pytestmark = pytest.mark.service
BROKEN = "tests.workers.language.broken_model.BrokenModel"
SCRIPTED = "tests.workers.scripted_model.ScriptedModel"


def uses(turn: Turn) -> list[tuple[str, str, str]]:
    rows = ProviderUse.objects.filter(turn=turn, stage="think")
    return [(row.provider, row.why, row.error) for row in rows]


def sentences(caller: Caller, turn: Turn) -> list[str]:
    events = [e for e in caller.events() if isinstance(e, SentenceReady)]
    return [event.text for event in events if event.turn_id == str(turn.pk)]


def test_the_next_provider_goes_on_after_what_was_said_and_people_may_choose_another(
    start_worker: Callable[..., Worker], tool_server: ToolServer, caller: Caller
) -> None:
    start_worker(
        "agent", MCP_URL=tool_server.start().url, LANGUAGE_MODEL=f"{BROKEN},{SCRIPTED},local"
    )
    turn = caller.say([{"say": "I am well, broken or not."}])
    caller.finish(turn)
    assert sentences(caller, turn) == ["That is one.", "I am well, broken or not."]
    assert turn.reply == "That is one. I am well, broken or not."
    assert uses(turn) == [
        ("BrokenModel", "server", "model_half"),
        ("ScriptedModel", "fallback", ""),
    ]
    assert turn.model_name == "ScriptedModel"
    told = [e for e in caller.events() if isinstance(e, ReplyDelta) and e.restart]
    assert [event.text.strip() for event in told] == ["That is one."]

    CallPreferences.objects.create(owner=caller.call.user, language_model="local")
    chosen = caller.say("Thank you.")
    assert caller.finish(chosen).reply == "You are welcome. Anything else?"
    assert uses(chosen) == [("local", "user", "")]
    assert chosen.model_name == "local"


def test_when_nobody_can_answer_the_caller_hears_why_and_the_next_turn_works(
    start_worker: Callable[..., Worker], tool_server: ToolServer, caller: Caller
) -> None:
    worker = start_worker("agent", MCP_URL=tool_server.start().url, LANGUAGE_MODEL=BROKEN)
    turn = caller.say("Be broken.")
    failed = caller.fail(turn)
    assert failed.code == turn.error == "model_half"
    why = "The language service broke off in the middle of its answer."
    assert failed.message == f"{why} Nothing was changed. Please try again."
    assert sentences(caller, turn)[-3:] == [why, "Nothing was changed.", "Please try again."]
    assert uses(turn) == [("BrokenModel", "server", "model_half")] * 2
    assert f"turn_id={turn.pk} provider=BrokenModel model= code=model_half" in worker.output

    following = caller.say("Once more.")
    assert caller.finish(following).reply == "That is one. And I have two."
    assert uses(following) == [("BrokenModel", "server", "")]
