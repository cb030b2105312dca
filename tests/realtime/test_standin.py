"""The Realtime stand-in keeps to the published protocol: read by OpenAI's own types."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.standins.openai import KEY
from tests.standins.realtime import Realtime, serving
from tests.standins.realtime_audio import speech

pytestmark = pytest.mark.service

PUBLISHED: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
PCM, PCMU = {"type": "audio/pcm", "rate": 24_000}, {"type": "audio/pcmu"}
BYTES_PER_MS = {"audio/pcm": 48, "audio/pcmu": 8}
SILENCE = {"audio/pcm": b"\0", "audio/pcmu": b"\xff"}
TOOL = {"type": "function", "name": "add", "description": "Adds.", "parameters": {"type": "object"}}


class Client:
    """Speaks with the stand-in and lets OpenAI's types judge every event."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.events: list[dict[str, Any]] = []

    async def send(self, kind: str, **values: Any) -> None:
        await self._socket.send(json.dumps({"type": kind, **values}))

    async def event(self, kind: str) -> dict[str, Any]:
        """The next one of this type."""
        async with asyncio.timeout(60):
            while True:
                event = json.loads(await self._socket.recv())
                PUBLISHED.validate_python(event, strict=True)
                self.events.append(event)
                if event["type"] == kind:
                    return dict(event)

    async def configure(self, kind: dict[str, Any] = PCM, **session: Any) -> dict[str, Any]:
        audio = {
            "input": {"format": kind, "transcription": {"model": "gpt-4o-mini-transcribe"}},
            "output": {"format": kind, "voice": "marin"},
        }
        await self.send("session.update", session={"type": "realtime", "audio": audio, **session})
        updated = await self.event("session.updated")
        return dict(updated["session"])

    async def speak(self, kind: str = "audio/pcm", ms: int = 2000) -> None:
        """Half a second of silence, speech, and the silence that ends it, as fast as it goes."""
        unit, quiet = BYTES_PER_MS[kind], SILENCE[kind]
        await self.append(quiet * unit * 500 + speech(kind, 0, unit * ms) + quiet * unit * 1000)

    async def append(self, audio: bytes) -> None:
        for at in range(0, len(audio), 960):
            part = base64.b64encode(audio[at : at + 960]).decode()
            await self.send("input_audio_buffer.append", audio=part)

    async def write(self, words: str, **response: Any) -> None:
        content = [{"type": "input_text", "text": words}]
        item = {"type": "message", "role": "user", "content": content}
        await self.send("conversation.item.create", item=item)
        await self.send("response.create", response=response)

    def audio(self, response_id: str) -> bytes:
        deltas = [
            event["delta"]
            for event in self.events
            if event["type"] == "response.output_audio.delta"
            and event["response_id"] == response_id
        ]
        return b"".join(map(base64.b64decode, deltas))


@pytest.fixture
async def service() -> AsyncIterator[Realtime]:
    async with serving() as running:
        running.desk.speed = 100
        yield running


@pytest.fixture
async def client(service: Realtime) -> AsyncIterator[Client]:
    async with connected(service) as socket:
        yield Client(socket)


def connected(service: Realtime, key: str = KEY, query: str = "?model=gpt-realtime-2") -> connect:
    headers = {"Authorization": f"Bearer {key}"}
    return connect(service.url + query, additional_headers=headers, proxy=None)


@pytest.mark.parametrize("kind", [PCM, PCMU], ids=["pcm", "pcmu"])
async def test_speech_is_heard_and_answered_aloud(
    service: Realtime, client: Client, kind: dict[str, Any]
) -> None:
    service.desk.transcripts = ["What is on my list?"]
    service.desk.default = [{"say": "Milk, bread and a book.", "ms": 3000}]
    await client.event("session.created")
    await client.configure(kind)
    await client.speak(kind["type"])
    started = await client.event("input_audio_buffer.speech_started")
    stopped = await client.event("input_audio_buffer.speech_stopped")
    assert started["item_id"] == stopped["item_id"]
    # The speech begins after 500 ms, less the prefix of 300 ms and what the gate takes for voice.
    assert 0 <= started["audio_start_ms"] < 700 < 2000 < stopped["audio_end_ms"] <= 3500
    done = await client.event("response.done")
    assert done["response"]["status"] == "completed"
    audio = client.audio(done["response"]["id"])
    assert len(audio) == 3000 * BYTES_PER_MS[kind["type"]]
    said = service.visits[0].responses[0]
    assert (said.audio_bytes, said.sha256) == (len(audio), hashlib.sha256(audio).hexdigest())
    words = "".join(
        e["delta"] for e in client.events if e["type"].endswith("audio_transcript.delta")
    )
    assert words == "Milk, bread and a book."
    kinds = [event["type"] for event in client.events]
    heard = "conversation.item.input_audio_transcription.completed"
    if heard not in kinds:
        await client.event(heard)
    assert [e["transcript"] for e in client.events if e["type"] == heard] == ["What is on my list?"]
    assert kinds.index("input_audio_buffer.committed") < kinds.index("response.created")
    assert done["response"]["usage"]["output_tokens"] > 0


async def test_the_callers_audio_is_counted_and_hashed(service: Realtime, client: Client) -> None:
    audio = speech("audio/pcm", 0, 48_000)
    await client.append(audio)
    await client.configure()
    visit = service.visits[0]
    assert visit.appended_bytes == len(audio)
    assert visit.appended_sha256 == hashlib.sha256(audio).hexdigest()


async def test_functions_are_called_and_their_output_is_taken(
    service: Realtime, client: Client
) -> None:
    service.desk.scripts = {
        "Add milk.": [
            {"say": "One moment.", "tools": [["add", {"what": "milk"}], ["add", {"what": "tea"}]]},
            {"say": "Added."},
        ]
    }
    await client.configure(tools=[TOOL])
    await client.write("Add milk.")
    done = await client.event("response.done")
    calls = [item for item in done["response"]["output"] if item["type"] == "function_call"]
    assert [json.loads(call["arguments"]) for call in calls] == [{"what": "milk"}, {"what": "tea"}]
    for call in calls:
        output = {
            "type": "function_call_output",
            "call_id": call["call_id"],
            "output": '{"status": "ok"}',
        }
        await client.send("conversation.item.create", item=output)
    await client.send("response.create")
    again = await client.event("response.done")
    assert [item["type"] for item in again["response"]["output"]] == ["message"]
    assert set(service.visits[0].outputs.values()) == {'{"status": "ok"}'}
    assert service.visits[0].said() == "One moment. Added."
    assert not service.visits[0].errors


async def test_speech_over_a_response_cancels_it_and_one_late_delta_leaves(
    service: Realtime, client: Client
) -> None:
    service.desk.default = [{"say": "a b c d e f g h i j", "ms": 60_000, "speed": 5}]
    await client.configure()
    await client.write("Tell me everything.", metadata={"turn": "t1"})
    created = await client.event("response.created")
    assert created["response"]["metadata"] == {"turn": "t1"}
    first = await client.event("response.output_audio.delta")
    await client.speak()
    done = await client.event("response.done")
    assert done["response"]["status"] == "cancelled"
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    late = await client.event("response.output_audio.delta")
    assert late["response_id"] == first["response_id"] == done["response"]["id"]
    kept = service.visits[0].responses[0]
    assert kept.audio_bytes + kept.late_bytes == len(client.audio(first["response_id"]))
    assert kept.late_bytes > 0


async def test_a_truncated_answer_is_believed_as_far_as_it_was_heard(
    service: Realtime, client: Client
) -> None:
    service.desk.default = [{"say": "one two three four", "ms": 4000}]
    await client.configure()
    await client.write("Count.")
    done = await client.event("response.done")
    item = done["response"]["output"][0]["id"]
    cut = {"item_id": item, "content_index": 0}
    await client.send("conversation.item.truncate", **cut, audio_end_ms=2100)
    assert (await client.event("conversation.item.truncated"))["audio_end_ms"] == 2100
    assert service.visits[0].said() == "one two"
    await client.send("conversation.item.truncate", **cut, audio_end_ms=4001)
    error = (await client.event("error"))["error"]
    assert error["message"] == "Audio content of 4000ms is already shorter than 4001ms"


async def test_a_response_can_be_cancelled_once(service: Realtime, client: Client) -> None:
    service.desk.default = [{"say": "On and on.", "ms": 60_000, "speed": 5}]
    await client.configure()
    await client.write("Talk.")
    await client.event("response.output_audio.delta")
    await client.send("response.create", event_id="mine")
    refused = (await client.event("error"))["error"]
    assert refused["code"] == "conversation_already_has_active_response"
    assert refused["event_id"] == "mine"
    await client.send("response.cancel")
    done = await client.event("response.done")
    assert done["response"]["status_details"]["reason"] == "client_cancelled"
    await client.send("response.cancel")
    assert (await client.event("error"))["error"]["code"] == "response_cancel_not_active"


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({}, "missing_required_parameter", "session.type"),
        ({"type": "realtime", "modalities": ["audio"]}, "unknown_parameter", "session.modalities"),
        ({"type": "realtime", "voice": "marin"}, "unknown_parameter", "session.voice"),
        (
            {"type": "realtime", "turn_detection": None},
            "unknown_parameter",
            "session.turn_detection",
        ),
        (
            {"type": "realtime", "audio": {"input": {"format": "g711_ulaw"}}},
            "invalid_type",
            "session.audio.input.format",
        ),
        (
            {"type": "realtime", "audio": {"input": {"format": {**PCM, "rate": 16_000}}}},
            "invalid_value",
            "session.audio.input.format.rate",
        ),
        (
            {"type": "realtime", "tools": [{"name": "add"}]},
            "missing_required_parameter",
            "session.tools[0].type",
        ),
    ],
)
async def test_a_session_of_another_shape_is_refused(
    client: Client, session: dict[str, Any], code: str, param: str
) -> None:
    await client.send("session.update", session=session)
    error = (await client.event("error"))["error"]
    assert (error["code"], error["param"]) == (code, param)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "conversation.item.input"}, "invalid_value"),
        ({"type": "input_audio_buffer.append", "audio": "?"}, "invalid_value"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
        (
            {
                "type": "conversation.item.create",
                "item": {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "text", "text": "beta"}],
                },
            },
            "invalid_value",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call_output", "call_id": "call_0", "output": ""},
            },
            "invalid_tool_call_id",
        ),
    ],
)
async def test_an_event_that_cannot_be_is_refused(
    client: Client, event: dict[str, Any], code: str
) -> None:
    await client.send(**{"kind": event.pop("type"), **event})
    assert (await client.event("error"))["error"]["code"] == code


@pytest.mark.parametrize(
    ("key", "query", "status"),
    [("sk-wrong", "?model=gpt-realtime", 401), (KEY, "", 400), (KEY, "?model=gpt-realtime", 429)],
)
async def test_a_handshake_without_key_model_or_room_is_refused(
    service: Realtime, key: str, query: str, status: int
) -> None:
    if status == 429:
        service.desk.configure({"refuse": 1, "refuse_status": 429})
    with pytest.raises(InvalidStatus) as refused:
        await connected(service, key, query)
    assert refused.value.response.status_code == status
    assert service.book.refused == {status: 1}


async def test_the_connection_may_be_lost_in_mid_sentence(
    service: Realtime, client: Client
) -> None:
    service.desk.default = [{"say": "On and on.", "ms": 8000, "cut_at_ms": 2000}]
    await client.configure()
    await client.write("Talk.")
    with pytest.raises(ConnectionClosed):
        await client.event("response.done")
    assert 2000 * 48 <= service.visits[0].responses[0].audio_bytes < 8000 * 48


async def test_openais_own_client_gets_on_with_it(service: Realtime) -> None:
    base = service.url.removesuffix("/realtime")
    official = AsyncOpenAI(api_key=KEY, websocket_base_url=base)
    async with asyncio.timeout(60), official.realtime.connect(model="gpt-realtime-2") as line:
        await line.session.update(session={"type": "realtime", "instructions": "Be short."})
        await line.response.create()
        async for event in line:
            if event.type == "response.done":
                assert event.response.status == "completed"
                break
    assert service.visits[0].session["instructions"] == "Be short."
