"""What every language provider must do for a turn, on a stand-in as on the real service."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from tests.providers.language.service import TOOLS, Service
from tests.workers.language.fakes import Turn
from workers import steps
from workers.history import PastTool, PastTurn, conversation
from workers.language import failures
from workers.language.answers import ASKED
from workers.language.asking import CANCELLED

LINE = "One two three four five six seven eight nine ten."
MILK = {"items": [{"title": "buy milk"}]}
BREAD = {"items": [{"title": "buy bread"}]}
ADDED: dict[str, Any] = {"status": "ok", "said": "Added buy milk.", "summary": "added: buy milk"}
DONE = '{"status":"ok","said":"Done."}'
BRIEF = SystemMessage("You keep a person's todos with tools. Answer in one short sentence.")


def begun_elsewhere(words: str) -> list[BaseMessage]:
    """Two earlier turns under our own ids, and a turn that another model has begun in its way."""
    first = PastTool("add_todos", MILK, ADDED)
    unknown = PastTool("add_todos", BREAD, None)
    past = [
        PastTurn(1, "Add buy milk.", "Added buy milk.", tools=[first]),
        PastTurn(2, "And bread, and milk.", "", interrupted=True, tools=[unknown, first]),
    ]
    call = {"id": "srvtoolu|42/other.provider", "name": "find_todos", "args": {}}
    block = {"type": "tool_use", "id": call["id"], "name": "find_todos", "input": {}}
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "theirs"}
    answer = AIMessage(
        [thought, {"type": "text", "text": "Let me look."}, block],
        tool_calls=[call | {"id": "convonet_0", "type": "tool_call"}],
        response_metadata={ASKED: "another", "model_provider": "another"},
    )
    found = ToolMessage('{"status":"ok","said":"One todo."}', tool_call_id="convonet_0")
    return [BRIEF, *conversation(past, words), answer, found]


class AnswerContract:
    """Give `service` in a subclass."""

    async def test_it_streams_its_words_in_pieces(self, service: Service) -> None:
        asked = await service.ask(service.words([{"say": LINE}], f"Say only this: {LINE}"))
        assert len(asked.pieces) > 1
        assert "".join(asked.pieces) == asked.words
        assert asked.words.strip() == LINE or not service.plays_scripts
        assert asked.use.first_ms is not None
        assert asked.use.first_ms <= asked.use.took_ms

    async def test_it_tells_its_tokens_and_its_model(self, service: Service) -> None:
        words = service.words([{"say": "Yes.", "usage": [321, 12]}], "Say yes.")
        use = (await service.ask(words)).use
        assert use.tokens_in > 0
        assert use.tokens_out > 0
        assert (use.tokens_in, use.tokens_out) == (321, 12) or not service.plays_scripts
        assert use.model
        assert use.error == ""

    async def test_it_goes_on_with_a_conversation_begun_elsewhere(self, service: Service) -> None:
        script: list[dict[str, Any]] = [{"say": "(never said)"}, {"say": "You have one todo."}]
        messages = begun_elsewhere(service.words(script, "What do I have to do? Then say so."))
        asked = await service.ask(messages, tools=TOOLS)
        assert asked.code == ""
        assert asked.words == "You have one todo." or not service.plays_scripts

    async def test_an_answer_that_takes_too_long_is_given_up(self, service: Service) -> None:
        words = service.words([{"fail": "silence"}], "Count to a hundred in words.")
        asked = await service.ask(words, seconds=0.03)
        assert asked.code == asked.use.error == failures.TIMEOUT

    async def test_an_answer_may_be_stopped_in_the_middle(self, service: Service) -> None:
        turn, heard = Turn(), asyncio.Event()
        keep = turn.context.emit

        def emit(step: steps.Step) -> None:
            keep(step)
            if isinstance(step, steps.Words):
                heard.set()

        turn.context.emit = emit
        script = [{"say": "word " * 3000, "delay": 0.02}]
        words = service.words(script, "Count to two hundred in words.")
        task = asyncio.create_task(service.ask(words, turn=turn))
        async with asyncio.timeout(60):
            await asyncio.wait(
                {asyncio.create_task(heard.wait()), task}, return_when=asyncio.FIRST_COMPLETED
            )
        assert heard.is_set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert turn.uses[-1].error == CANCELLED


class ToolContract:
    """For models that do what they are asked."""

    async def test_it_calls_a_tool_with_arguments(self, service: Service) -> None:
        script = [{"say": "I will add it.", "tools": [["add_todos", MILK]]}]
        wish = "Call the tool add_todos, with one item whose title is “buy milk”. Say nothing."
        asked = await service.ask(service.words(script, wish), tools=TOOLS)
        assert [name for name, _ in asked.calls] == ["add_todos"]
        assert "milk" in asked.calls[0][1]["items"][0]["title"]
        assert asked.calls == [("add_todos", MILK)] or not service.plays_scripts

    async def test_it_calls_two_tools_at_once(self, service: Service) -> None:
        tricky = {"items": [{"title": 'Ärger: "quoted" \\ 日本 🥛'}]}
        script = [{"tools": [["add_todos", tricky], ["show_lists", {}]]}]
        wish = "In one answer, call add_todos with the item “buy milk”, and also call show_lists."
        asked = await service.ask(service.words(script, wish), tools=TOOLS)
        assert asked.answer is not None
        assert [name for name, _ in asked.calls] == ["add_todos", "show_lists"]
        assert asked.calls[0] == ("add_todos", tricky) or not service.plays_scripts
        ids = [call["id"] for call in asked.answer.tool_calls]
        assert len(set(ids)) == 2

    async def test_it_goes_on_from_the_results_of_its_own_calls(self, service: Service) -> None:
        tools = [["add_todos", MILK], ["show_lists", {}]]
        script: list[dict[str, Any]] = [
            {"say": "Let me see.", "tools": tools},
            {"say": "Milk is added."},
        ]
        wish = (
            "Call both add_todos, with the item “buy milk”, and show_lists; then say what you did."
        )
        words = service.words(script, wish)
        first = await service.ask(words, tools=TOOLS)
        assert first.answer is not None
        assert first.calls
        results = [
            ToolMessage(
                '{"status":"ok","said":"Done."}', tool_call_id=call["id"], name=call["name"]
            )
            for call in first.answer.tool_calls
        ]
        last = await service.ask([BRIEF, HumanMessage(words), first.answer, *results], tools=TOOLS)
        assert last.words.strip()
        assert last.words == "Milk is added." or not service.plays_scripts


class LanguageContract(AnswerContract, ToolContract):
    """All of it."""
