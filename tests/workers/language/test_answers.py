"""An answer is one whole message that every provider can read, or a reason why it is none."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage

from tests.workers.language.fakes import calls, ending, spoken
from workers.language.answers import ASKED, last_asked, readable, settled
from workers.language.failures import BadAnswer


def settle(
    *chunks: BaseMessage, tells_end: bool = False, earlier: list[BaseMessage] | None = None
) -> AIMessage:
    return settled(chunks, "a", earlier=earlier or spoken(), tells_end=tells_end)


def reason(*chunks: BaseMessage, tells_end: bool = False) -> str:
    with pytest.raises(BadAnswer) as caught:
        settle(*chunks, tells_end=tells_end)
    return caught.value.code


def after_tool() -> list[BaseMessage]:
    return [*spoken(), settle(calls("add", ids=["t1"])), ToolMessage("{}", tool_call_id="t1")]


def test_pieces_become_one_message_that_knows_who_made_it() -> None:
    message = settle(
        AIMessageChunk(content="Hel"), AIMessageChunk(content="lo."), ending("stop", (5, 2))
    )
    assert type(message) is AIMessage
    assert message.text == "Hello."
    assert message.usage_metadata == {"input_tokens": 5, "output_tokens": 2, "total_tokens": 0}
    assert last_asked([*spoken(), message]) == "a"


def test_the_maker_of_an_earlier_turn_is_not_the_maker_of_this_one() -> None:
    assert last_asked([settle(AIMessageChunk(content="Hello.")), *spoken()]) == ""


def test_a_model_that_cannot_stream_gives_its_whole_message() -> None:
    assert settle(AIMessage("Hello.")).text == "Hello."


def test_arguments_that_came_in_pieces_are_whole() -> None:
    first = calls("add", ids=["t1"])
    first.tool_call_chunks[0]["args"] = '{"what": '
    second = AIMessageChunk(
        content="", tool_call_chunks=[{"name": None, "args": '"milk"}', "id": None, "index": 0}]
    )
    assert settle(first, second).tool_calls[0]["args"] == {"what": "milk"}


def test_arguments_that_are_no_json_are_garbage() -> None:
    broken = calls("add")
    broken.tool_call_chunks[0]["args"] = '{"what": '
    last = AIMessageChunk(content="", chunk_position="last")
    assert reason(broken, ending("length"), last) == "model_garbage"


def test_a_tool_without_a_name_is_garbage() -> None:
    assert reason(calls("")) == "model_garbage"


@pytest.mark.parametrize(
    "chunks", [[], [AIMessageChunk(content="")], [AIMessageChunk(content=" \n")]]
)
def test_nothing_said_and_nothing_asked_for_is_garbage(chunks: list[BaseMessage]) -> None:
    assert reason(*chunks) == "model_garbage"


def test_after_a_tool_nothing_need_be_said() -> None:
    assert settle(AIMessageChunk(content=""), earlier=after_tool()).text == ""


@pytest.mark.parametrize("key", ["finish_reason", "stop_reason"])
def test_who_tells_the_end_and_did_not_was_cut_off(key: str) -> None:
    said = AIMessageChunk(content="I have")
    assert reason(said, tells_end=True) == "model_half"
    end = AIMessageChunk(content="", response_metadata={key: "end_turn"})
    assert settle(said, end, tells_end=True).text == "I have"


@pytest.mark.parametrize("why", ["refusal", "content_filter", "SAFETY", "PROHIBITED_CONTENT"])
def test_a_refusal_is_no_answer_whatever_was_said_before(why: str) -> None:
    assert reason(AIMessageChunk(content="I"), ending(why)) == "model_refused"


@pytest.mark.parametrize(
    "ids", [["x", "x"], ["", ""], [None, None], ["with space", "y"], ["z" * 41, "y"], ["t1", "y"]]
)
def test_ids_that_another_provider_would_refuse_are_made_anew(ids: list[str | None]) -> None:
    earlier = after_tool()
    message = settle(calls("add", "find", ids=ids), earlier=earlier)
    made = [call["id"] for call in message.tool_calls]
    assert len({*made, "t1"}) == 3
    assert [call["name"] for call in message.tool_calls] == ["add", "find"]
    assert message.response_metadata[ASKED] == "a"


def test_good_ids_stay() -> None:
    message = settle(calls("add", "find", ids=["toolu_01A", "call-2"]))
    assert [call["id"] for call in message.tool_calls] == ["toolu_01A", "call-2"]


def test_a_conversation_of_plain_messages_is_read_as_it_is() -> None:
    messages = [*spoken(), AIMessage("Yes."), *spoken("And now?")]
    assert all(new is old for new, old in zip(readable(messages, "b"), messages, strict=True))
