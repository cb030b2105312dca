"""What waits for an application is bounded, and a flood has its turns like everybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from websockets.frames import Frame, Opcode

from convonet import counters
from convonet.front.inbox import FEW_WAITING, MOST_WAITING
from convonet.front.intake import AT_ONCE, Intake


class Reading:
    """The server's side: whether it reads, and which frames its own parser got."""

    def __init__(self) -> None:
        self.on, self.odd = True, list[bytes]()
        self.intake = Intake(odd=self._odd, pause=self._pause, resume=self._resume)

    def _odd(self, frame: bytes) -> bool:
        self.odd.append(frame)
        return True

    def _pause(self) -> None:
        self.on = False

    def _resume(self) -> None:
        self.on = True


@pytest.fixture(autouse=True)
def counted() -> Iterator[None]:
    counters.take()
    yield
    counters.take()


def texts(first: int, number: int) -> bytes:
    words = (f"{n}".encode() for n in range(first, first + number))
    return b"".join(Frame(Opcode.TEXT, word).serialize(mask=True) for word in words)


def wanted(number: int) -> list[str]:
    return [str(n) for n in range(number)]


async def test_messages_go_to_whoever_took_them_over_at_once() -> None:
    reading, told = Reading(), list[object]()
    reading.intake.feed(texts(0, 3))
    reading.intake.inbox.hand_to(told.append)
    assert told == wanted(3)
    reading.intake.feed(texts(3, 2))
    assert told == wanted(5)
    for _ in range(2):
        reading.intake.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
    assert told == [*wanted(5), None]
    assert reading.on


async def test_a_socket_is_not_read_while_nobody_takes_its_messages() -> None:
    reading = Reading()
    inbox = reading.intake.inbox
    reading.intake.feed(texts(0, MOST_WAITING + 20))
    assert not reading.on
    assert inbox.waiting == MOST_WAITING
    assert counters.take() == {"inbound_pauses": 1}
    got = []
    while inbox.waiting:
        got.append((await inbox())["text"])
        assert inbox.waiting <= MOST_WAITING
    assert got == wanted(MOST_WAITING + 20)
    assert reading.on


async def test_it_is_read_on_when_there_is_room_again() -> None:
    reading = Reading()
    reading.intake.feed(texts(0, MOST_WAITING))
    for left in range(MOST_WAITING - 1, FEW_WAITING, -1):
        await reading.intake.inbox()
        assert (reading.on, reading.intake.inbox.waiting) == (False, left)
    await reading.intake.inbox()
    assert reading.on


async def test_whoever_waits_for_a_message_is_woken_by_it() -> None:
    reading = Reading()
    waiting = asyncio.create_task(reading.intake.inbox())
    await asyncio.sleep(0)
    reading.intake.feed(texts(0, 1))
    assert await asyncio.wait_for(waiting, 60) == {"type": "websocket.receive", "text": "0"}


async def test_a_flood_is_taken_in_turns_and_the_socket_rests_between() -> None:
    reading, told = Reading(), list[object]()
    reading.intake.inbox.hand_to(told.append)
    reading.intake.feed(texts(0, 3 * AT_ONCE + 1))
    assert told == wanted(AT_ONCE)
    assert not reading.on
    # What comes all the same keeps its place.
    reading.intake.feed(texts(3 * AT_ONCE + 1, 1))
    for turn in (2, 3):
        await asyncio.sleep(0)
        assert told == wanted(turn * AT_ONCE)
    await asyncio.sleep(0)
    assert told == wanted(3 * AT_ONCE + 2)
    assert reading.on
    assert counters.take() == {"inbound_pauses": 3}


async def test_after_its_end_nothing_of_a_connection_is_taken_or_read() -> None:
    reading, told = Reading(), list[object]()
    reading.intake.inbox.hand_to(told.append)
    reading.intake.feed(texts(0, AT_ONCE + 1))
    reading.intake.end()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert told == wanted(AT_ONCE)
    assert not reading.on


async def test_what_nobody_wants_any_more_does_not_stop_the_reading() -> None:
    reading = Reading()
    reading.intake.feed(texts(0, MOST_WAITING))
    reading.intake.inbox.forget()
    assert reading.on
    reading.intake.feed(texts(0, AT_ONCE - 1))
    assert (reading.on, reading.intake.inbox.waiting) == (True, 0)


async def test_other_frames_keep_their_place_among_the_messages() -> None:
    reading, told = Reading(), list[object]()
    reading.intake.inbox.hand_to(told.append)
    ping = Frame(Opcode.PING, b"?").serialize(mask=True)
    reading.intake.feed(texts(0, 1) + ping + texts(1, 1))
    assert (told, reading.odd) == (wanted(2), [ping])
