"""A turn begun with one provider, kept as a checkpoint, and gone on with at any other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ToolMessage,
    messages_from_dict,
    messages_to_dict,
)

from tests.providers.language.service import TOOLS
from tests.standins.process import StandIns
from tests.workers.language.fakes import LONG, Turn, spoken
from workers.language.asking import Asking
from workers.language.models import Member, Models, load

pytestmark = pytest.mark.service

NAMES = ["anthropic", "google", "openai", "compatible"]
SCRIPT = [
    {
        "say": "One moment.",
        "tools": [["find_todos", {"when": "today"}], ["find_todos", {"when": "tomorrow"}]],
    },
    {"say": "You have none."},
]
RESULT = '{"status": "ok", "said": "You have none."}'


@pytest.fixture
async def models(
    standins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, Member]]:
    for name, value in standins.env.items():
        monkeypatch.setenv(name, value)
    made: Models = load(NAMES, prefer_local=False)
    yield {member.name: member for member in made.members}
    await made.close()


async def ask(member: Member, messages: list[BaseMessage]) -> AIMessage:
    asking = Asking(Turn().context, member, "server")
    answer = await asking.run(messages, TOOLS, seconds=LONG, first_seconds=LONG)
    assert isinstance(answer, AIMessage), answer
    return answer


def checkpointed(message: BaseMessage) -> AIMessage:
    (kept,) = messages_from_dict(json.loads(json.dumps(messages_to_dict([message]))))
    assert isinstance(kept, AIMessage)
    return kept


@pytest.mark.parametrize("begun", NAMES)
async def test_every_other_provider_can_go_on_with_a_turn(
    begun: str, models: dict[str, Member]
) -> None:
    messages = spoken(json.dumps(SCRIPT))
    wish = checkpointed(await ask(models[begun], messages))
    assert len(wish.tool_calls) == 2
    messages.append(wish)
    for call in wish.tool_calls:
        messages.append(ToolMessage(RESULT, tool_call_id=call["id"], name=call["name"]))
    answers = [(await ask(member, messages)).text for member in models.values()]
    assert answers == ["You have none."] * len(NAMES)
