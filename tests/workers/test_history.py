from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from workers.history import MOST_RESULT_CHARACTERS, PastTool, PastTurn, conversation, result_text

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
objects = st.dictionaries(st.text(max_size=10), values, max_size=4)
tools = st.builds(PastTool, st.text(max_size=10), objects, st.none() | objects)
turns = st.lists(
    st.builds(
        PastTurn,
        number=st.integers(1, 500),
        transcript=st.text(max_size=50),
        said=st.text(max_size=50),
        interrupted=st.booleans(),
        tools=st.lists(tools, max_size=4),
    ),
    max_size=20,
    unique_by=lambda turn: turn.number,
)


def check_valid(messages: list[BaseMessage]) -> None:
    """What every provider asks of a conversation."""
    assert isinstance(messages[0], HumanMessage)
    assert isinstance(messages[-1], HumanMessage)
    waiting: list[str] = []
    seen: set[str] = set()
    before: BaseMessage | None = None
    for message in messages:
        if isinstance(message, ToolMessage):
            waiting.remove(message.tool_call_id)
        else:
            assert not waiting, "a tool call without its result"
            assert type(message) is not type(before) or not isinstance(message, HumanMessage)
        if isinstance(message, AIMessage):
            assert message.text or message.tool_calls
            assert not isinstance(before, AIMessage)
            waiting = [str(call["id"]) for call in message.tool_calls]
            assert not seen & set(waiting)
            assert len(set(waiting)) == len(waiting)
            seen |= set(waiting)
        before = message


@given(turns, st.text(min_size=1), st.integers(0, 15), st.integers(0, 3000))
def test_history_is_valid_and_bounded_whatever_the_rows_hold(
    past: list[PastTurn], transcript: str, most_turns: int, most_tokens: int
) -> None:
    messages = conversation(past, transcript, most_turns=most_turns, most_tokens=most_tokens)
    check_valid(messages)
    spoken = [message for message in messages if isinstance(message, HumanMessage)]
    assert len(spoken) <= most_turns + 1
    assert sum(len(m.text) for m in messages[:-1]) <= 4 * most_tokens
    assert messages[-1].text == transcript


def test_only_what_was_heard_is_remembered() -> None:
    heard = PastTurn(1, "what is due", said="First the", interrupted=True)
    nothing = PastTurn(2, "and then", said="", interrupted=True)
    messages = conversation([heard, nothing], "go on")
    assert [message.text for message in messages] == [
        "what is due",
        "First the",
        "and then",
        "(interrupted before a word was heard)",
        "go on",
    ]


def test_a_tool_call_without_a_recorded_answer_is_said_to_be_unknown() -> None:
    turn = PastTurn(3, "add milk", "Sorry.", tools=[PastTool("add_todos", {"items": []}, None)])
    _, asked, answered, said, _ = conversation([turn], "did you?")
    assert isinstance(asked, AIMessage)
    assert asked.tool_calls[0]["args"] == {"items": []}
    assert isinstance(answered, ToolMessage)
    assert json.loads(str(answered.content))["status"] == "unknown"
    assert said.text == "Sorry."


def test_the_newest_turns_are_kept_and_none_is_cut_in_two() -> None:
    past = [PastTurn(n, f"wish {n}", "done " * 50) for n in range(1, 30)]
    messages = conversation(past, "now", most_turns=12, most_tokens=300)
    assert [m.text for m in messages if isinstance(m, HumanMessage)][-2:] == ["wish 29", "now"]
    assert len(messages) < 12
    check_valid(messages)


def test_a_long_answer_keeps_what_a_later_turn_refers_to() -> None:
    question = {"id": "q", "kind": "which"}
    long = {"status": "ask", "said": "Which?", "question": question, "todos": ["x" * 50] * 100}
    short = json.loads(result_text(long))
    assert short == {"status": "ask", "said": "Which?", "question": question}
    assert len(result_text({"said": "y" * 9000})) <= MOST_RESULT_CHARACTERS
