"""The frames of a client, however they arrive: messages, and what is the parser's."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from convonet.front.frames import MOST_BYTES, Frames, Other


def frame(opcode: Opcode, data: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=mask)


def read(frames: Frames, *pieces: bytes) -> list[str | bytes | Other]:
    found = []
    for piece in pieces:
        frames.feed(piece)
        while (one := frames.next()) is not None:
            found.append(one)
    return found


MESSAGES = st.lists(
    st.text(max_size=99) | st.binary(max_size=99) | st.sampled_from([125, 126, 65_535]).map(bytes),
    max_size=8,
)


@given(messages=MESSAGES, sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_messages_arrive_whole_and_in_order_however_they_are_cut(
    messages: list[str | bytes], sizes: list[int]
) -> None:
    stream = b"".join(
        frame(Opcode.TEXT, one.encode()) if isinstance(one, str) else frame(Opcode.BINARY, one)
        for one in messages
    )
    cuts = [0, *accumulate(sizes), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(cuts)]
    assert read(Frames(), *pieces) == messages


ODD = {
    "ping": frame(Opcode.PING, b"x"),
    "close": frame(Opcode.CLOSE, b"\x03\xe8"),
    "a part of a message": frame(Opcode.TEXT, b"half", fin=False),
    "the rest of one": frame(Opcode.CONT, b"half"),
    "a message without a mask": frame(Opcode.TEXT, b"bare", mask=False),
    "text that is none": frame(Opcode.TEXT, b"\xff\xfe"),
    "a message of 64 KiB": frame(Opcode.BINARY, bytes(MOST_BYTES)),
    "an extension's bit": b"\xc1\x81\0\0\0\0a",
    "a length in two bytes that fits one": b"\x81\xfe\x00\x01\0\0\0\0a",
    "a length in eight bytes that fits two": b"\x81\xff" + bytes(6) + b"\x01\x00" + bytes(260),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_no_plain_message_goes_to_the_parser_as_it_came(what: str) -> None:
    after = frame(Opcode.TEXT, b"after")
    stream = ODD[what] + after
    pieces = [bytes([byte]) for byte in stream] if len(stream) < 100 else [stream]
    assert read(Frames(), *pieces) == [Other(ODD[what]), "after"]


def test_while_the_parser_is_inside_a_message_it_gets_every_frame() -> None:
    frames, text = Frames(), frame(Opcode.TEXT, b"text")
    frames.plain = False
    assert read(frames, text) == [Other(text)]
    frames.plain = True
    assert read(frames, text) == ["text"]


@pytest.mark.parametrize("mask", [True, False])
def test_what_is_too_long_is_the_parsers_with_all_that_follows(mask: bool) -> None:
    huge = frame(Opcode.BINARY, bytes(MOST_BYTES + 1), mask=mask)
    # By its first bytes already: it is not kept to be handed on.
    pieces = huge[:14], huge[14:], frame(Opcode.TEXT, b"x")
    assert read(Frames(), *pieces) == [Other(piece) for piece in pieces]
