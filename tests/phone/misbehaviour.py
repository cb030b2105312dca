"""Streams that break the protocol of Media Streams, as lists of messages; none is a caller's fault.

`Case.before` goes ahead of the stream's `start`, `Case.after` behind it.
"""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from convonet.far_end import wire

Message = str | bytes
OTHERS: list[Any] = [None, 7, -1, "", "x" * 50, [], {}, 1e308, True, "NaN", "9" * 400]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    after: Callable[[wire.Script], list[Message]]
    before: Callable[[wire.Script], list[Message]] = lambda script: []
    refused: bool = False
    """No call comes of it."""


def frames(script: wire.Script, count: int = 10, start: int = 0) -> list[Message]:
    return [script.media(wire.SILENCE * 160, 20 * (start + n)) for n in range(count)]


def shuffled(script: wire.Script) -> list[Message]:
    messages = frames(script, 50)
    random.Random(1).shuffle(messages)
    return messages


def backwards(script: wire.Script) -> list[Message]:
    return frames(script, 50)[::-1]


def started_again(script: wire.Script) -> list[Message]:
    other = wire.Script("MZ" + 32 * "f", "CA" + 32 * "f", script.account_sid)
    return [
        script.start({"token": "again"}),
        *frames(script),
        other.start({}),
        *frames(other),
        wire.CONNECTED,
        *frames(script, 10, 10),
    ]


def without_a_field(script: wire.Script) -> list[Message]:
    whole = [
        script.media(wire.SILENCE * 160, 0),
        script.dtmf("5"),
        script.mark("a:1:100"),
        # `stop` with nothing in it still stops, so it is not among these.
    ]
    return [json.dumps(less) for text in whole for less in _lesser(json.loads(text))]


def _lesser(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The message without one of its fields, and with something else in its place."""
    paths: list[tuple[str, ...]] = [(name,) for name in message]
    paths += [(n, inner) for n, body in message.items() if isinstance(body, dict) for inner in body]
    for path in paths:
        for instead in OTHERS:
            changed = copy.deepcopy(message)
            place = changed if len(path) == 1 else changed[path[0]]
            place[path[-1]] = instead
            yield changed
        changed = copy.deepcopy(message)
        del (changed if len(path) == 1 else changed[path[0]])[path[-1]]
        yield changed


def garbage(script: wire.Script) -> list[Message]:
    return [
        *("", "{", "}", "null", "[]", "1", '"media"', "true", "NaN", "\0", "{}" * 1000),
        "[" * 8000,
        '{"event":' * 800,
        json.dumps({"event": "media", "media": {"payload": "A" * 60_000}}),
        json.dumps({"event": "é" * 3000}),
        # Half a character, which JSON can write and UTF-8 cannot.
        '{"event": "\\ud83d", "streamSid": "\\ud83d"}',
        *frames(script),
    ]


def binary(script: wire.Script) -> list[Message]:
    noise = random.Random(2)
    pieces: list[Message] = [noise.randbytes(noise.randint(0, 2000)) for _ in range(40)]
    return [*pieces, script.media(b"\x00" * 160, 0).encode(), *frames(script)]


def gaps(script: wire.Script) -> list[Message]:
    """Lost packets, a leap of minutes, a clock that goes back, and everything bunched up."""
    at = [0, 20, 200, 220, 240, 60_000, 60_020, 100, 120, 3_600_000, 40, 60]
    return [script.media(wire.SILENCE * 160, ms) for ms in at] + frames(script, 90)


def odd_sizes(script: wire.Script) -> list[Message]:
    sizes = [0, 1, 159, 161, 800, 1600, 1601, 5000]
    return [script.media(bytes(size), 20 * n) for n, size in enumerate(sizes)]


def unknown_marks(script: wire.Script) -> list[Message]:
    names = ["x", "", ":", "::", "a:b:c", "0:0:99999999999999999999", "9" * 5000, "a:0:-5", "é:0:1"]
    return [script.mark(name) for name in names] + frames(script)


def other_tracks(script: wire.Script) -> list[Message]:
    loud = bytes(range(160))
    return [script.media(loud, 20 * n, "outbound") for n in range(60)] + frames(script)


def odd_keys(script: wire.Script) -> list[Message]:
    return [script.dtmf(key) for key in ["", "12", "x", "é", "*", "#", "A", "5" * 400]]


def unknown_events(script: wire.Script) -> list[Message]:
    events = ["", "error", "Media", "start ", "transcript", None, 5]
    return [json.dumps({"event": e, "streamSid": script.stream_sid}) for e in events]


def nothing(script: wire.Script) -> list[Message]:
    return []


def of_another_stream(script: wire.Script) -> list[Message]:
    other = wire.Script("MZ" + 32 * "e", script.call_sid, script.account_sid)
    return [*frames(other), other.dtmf("1"), other.stop(), *frames(script)]


def early(script: wire.Script) -> list[Message]:
    return [script.media(bytes(160), 0), script.dtmf("1"), script.mark("a:0:1"), "{", b"\x00"]


def many_early(script: wire.Script) -> list[Message]:
    return frames(script, 50)


def _start(script: wire.Script, **changes: Any) -> str:
    message = json.loads(script.start({}))
    for name, value in changes.items():
        message["start"][name] = value
    return json.dumps(message)


def wrong_sound(script: wire.Script) -> list[Message]:
    other = {"encoding": "audio/l16", "sampleRate": 16_000, "channels": 1}
    return [_start(script, mediaFormat=other)]


def no_token(script: wire.Script) -> list[Message]:
    return [_start(script), *frames(script)]


def forged(script: wire.Script) -> list[Message]:
    token = base64.b64encode(b"forged").decode()
    return [_start(script, customParameters={"token": token}), *frames(script)]


CASES = [
    Case("media out of order", shuffled),
    Case("media backwards", backwards),
    Case("a second and a third start", started_again),
    Case("fields missing or of another kind", without_a_field),
    Case("garbage", garbage),
    Case("binary messages", binary),
    Case("irregular gaps", gaps),
    Case("audio of odd sizes", odd_sizes),
    Case("marks nobody set", unknown_marks),
    Case("the other track", other_tracks),
    Case("keys no telephone has", odd_keys),
    Case("events nobody knows", unknown_events),
    Case("messages of another stream", of_another_stream),
    Case("media before the start", frames, before=early),
    Case("nothing at all", nothing),
    Case("only media before the start", frames, before=many_early, refused=True),
    Case("another sound format", frames, before=wrong_sound, refused=True),
    Case("no token", frames, before=no_token, refused=True),
    Case("a forged token", frames, before=forged, refused=True),
]
