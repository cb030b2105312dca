"""The stand-ins for services: what they answer, and by what a turn is known at them."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from convonet.load import figures, loudness, plan, providers, tokens
from voice import g711


async def test_the_model_asks_for_a_tool_in_its_share_of_the_turns_and_once_in_each() -> None:
    services = providers.Services(think=0, tool_percent=50)
    tools = [{"type": "function", "function": {"name": plan.TOOL}}]
    user, tool = {"role": "user", "content": "?"}, {"role": "tool", "content": "{}"}
    wants = []
    for messages in ([user], [user], [user, tool], [user]):
        asked = json.dumps({"messages": messages, "tools": tools}).encode()
        _, body = await services.answer("/v1/chat/completions", asked)
        wants.append(json.loads(body)["choices"][0]["finish_reason"] == "tool_calls")
    assert wants == [False, True, False, False]


def test_a_streamed_answer_ends_as_it_should() -> None:
    kind, body = providers.completion(stream=True, token="zobabebi")
    lines = [line for line in body.decode().split("\n\n") if line]
    assert kind == "text/event-stream"
    assert lines[-1] == "data: [DONE]"
    pieces = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    said = "".join(c["delta"].get("content") or "" for p in pieces for c in p["choices"])
    assert said == "".join(providers.ANSWER).format("zobabebi")


def test_speech_is_as_long_as_its_text() -> None:
    assert len(providers.speech(20)) == 2 * int(20 * 0.055 * 24_000)


async def test_a_turn_is_known_by_one_word_at_every_service() -> None:
    log = io.StringIO()
    services = providers.Services(think=0, tool_percent=0, log=log)
    _, heard = await services.answer("/v1/audio/transcriptions", b"RIFF")
    messages = [{"role": "user", "content": json.loads(heard)["text"]}]
    _, body = await services.answer(
        "/v1/chat/completions", json.dumps({"messages": messages}).encode()
    )
    answer = json.loads(body)["choices"][0]["message"]["content"]
    await services.answer("/v1/audio/speech", json.dumps({"input": answer}).encode())
    services_by_key = figures.works(log.getvalue().splitlines())
    ((key, work),) = services_by_key.items()
    assert key == tokens.found(answer)
    assert [one.service for one in work] == ["transcriptions", "completions", "speech"]
    assert all(one.arrived <= one.answered for one in work)


async def test_a_caller_in_the_address_is_the_key() -> None:
    log = io.StringIO()
    services = providers.Services(think=0, tool_percent=0, log=log)
    await services.answer("/calls/CA1/v1/audio/speech", b'{"input": "Hello."}')
    assert list(figures.works(log.getvalue().splitlines())) == ["CA1"]


async def test_who_is_offered_a_tool_that_runs_away_gets_it() -> None:
    services = providers.Services(think=0, tool_percent=0)
    tools = [{"type": "function", "function": {"name": name}} for name in plan.RUNAWAYS[1:]]
    asked = json.dumps({"messages": [{"role": "user", "content": "?"}], "tools": tools})
    _, body = await services.answer("/v1/chat/completions", asked.encode())
    (call,) = json.loads(body)["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] in plan.RUNAWAYS[1:]


@given(st.integers(0, tokens.NUMBER - 1), st.integers(0, tokens.NUMBER - 1))
def test_tokens_are_found_again_and_differ(one: int, other: int) -> None:
    text = providers.HEARD.format(tokens.token(one))
    assert tokens.found(text) == tokens.token(one)
    assert (tokens.token(one) == tokens.token(other)) == (one == other)


def test_the_answer_is_told_from_words_to_wait_by_its_loudness() -> None:
    for loud, kind in ((True, loudness.LOUD), (False, loudness.QUIET)):
        pcm = providers.speech(10, loud=loud)
        assert loudness.of_pcm(pcm) == kind
        assert loudness.of_mulaw(g711.encode(pcm)) == kind
    assert loudness.of_mulaw(bytes([0xFF] * 160)) == loudness.of_pcm(bytes(320)) == loudness.SILENT
