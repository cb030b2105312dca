"""Callers' clients that break the protocol, and parts of the product that are down."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from websockets.asyncio.client import ClientConnection

from convonet.recordings import read_wav
from tests.stack import ROOT, Stack, wait_until
from tests.voice.client import FRAME, call, closing, hear_until, say, socket, ticket, until

pytestmark = pytest.mark.service


def no_calls_left(stack: Stack) -> None:
    wait_until(lambda: stack.health().get("calls") == 0, 60, "no call is counted any more")


async def play(opened: ClientConnection, pcm: bytes, *, trailing_seconds: float = 1.0) -> None:
    """Speak at real-time pace, then be quiet."""
    loop = asyncio.get_running_loop()
    data, due = pcm + bytes(int(32000 * trailing_seconds) & ~1), loop.time()
    for at in range(0, len(data), len(FRAME)):
        await opened.send(data[at : at + len(FRAME)].ljust(len(FRAME), b"\0"))
        due += 0.04
        await asyncio.sleep(max(0.0, due - loop.time()))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\0", 4400),
        (b"", 4400),
        (bytes(6402), 4413),
        ("audio?", 4400),
        ("[]", 4400),
        ('{"type": "text"}', 4400),
        ('{"type": "played", "turn": "x", "ms": "soon"}', 4400),
        ('{"type": "start"}', 4400),
        ('{"type": "' + "x" * 5000 + '"}', 4413),
    ],
)
async def test_a_broken_message_ends_the_call_with_a_sentence(
    stack: Stack, message: str | bytes, code: int
) -> None:
    async with call(stack) as opened:
        await opened.send(message)
        assert (await closing(opened))[0] == code
    no_calls_left(stack)


async def test_audio_before_the_start_is_refused(stack: Stack) -> None:
    async with socket(stack, ticket(stack)) as opened:
        await opened.send(FRAME)
        assert (await closing(opened))[0] == 4400


async def test_too_long_a_text_is_answered_and_the_call_goes_on(stack: Stack) -> None:
    async with call(stack) as opened:
        await say(opened, "text", text="milk " * 200)
        assert "too long" in (await until(opened, "notice"))["text"]
        await say(opened, "text", text="how many open todos do I have")
        assert (await until(opened, "turn_done"))["state"] in ("done", "interrupted")


async def test_a_flood_of_audio_is_cut_off(stack: Stack) -> None:
    async with call(stack) as opened:
        flood = asyncio.create_task(_flood(opened))
        code, text = await closing(opened)
        flood.cancel()
    assert code == 4429
    assert "faster" in text
    no_calls_left(stack)


async def _flood(opened: ClientConnection) -> None:
    for _ in range(2000):
        await opened.send(bytes(6400))


async def test_a_flood_of_messages_is_cut_off(stack: Stack) -> None:
    async with call(stack) as opened:
        for _ in range(300):
            await say(opened, "played", turn="none", ms=1)
        assert (await closing(opened))[0] == 4429


async def test_noise_makes_no_turn_and_is_pointed_out(stack: Stack) -> None:
    """Noise in bursts, as fast as the allowance lets it in; ten minutes are in the soak run."""
    stack.make_user("noisy")
    noise = random.Random(1)
    burst = b"".join(
        noise.randint(-9000, 9000).to_bytes(2, "little", signed=True) for _ in range(12_000)
    )
    async with call(stack, "noisy") as opened:
        for _ in range(3):
            await play(opened, burst)
        notice = await until(opened, "notice", 60)
        assert "no words" in notice["text"]
    turns = (
        "select count(*) from voice_turn t join voice_call c on c.id = t.call_id "
        "join auth_user u on u.id = c.user_id where u.username = 'noisy'"
    )
    assert stack.rows(turns) == [(0,)]


async def test_a_tab_closed_in_mid_turn_loses_nothing(stack: Stack) -> None:
    stack.make_user("hasty")
    title = f"water {uuid.uuid4().hex[:6]}"
    async with call(stack, "hasty") as opened:
        await say(opened, "text", text=f"add {title}")
        await until(opened, "transcript")
    count = "select count(*) from todo_todo where title = ?"
    wait_until(lambda: stack.rows(count, title) == [(1,)], 60, "the todo is added")
    no_calls_left(stack)
    states = "select t.state from voice_turn t where t.transcript = ?"
    wait_until(
        lambda: stack.rows(states, f"add {title}")[0][0] in ("done", "interrupted"),
        20,
        "the turn is over",
    )


async def test_a_spoken_turn_closed_at_its_pause_is_still_done(stack: Stack) -> None:
    stack.make_user("brisk")
    pcm = read_wav(ROOT / "tests/audio/00-woman.wav")
    async with call(stack, "brisk") as opened:
        await play(opened, pcm, trailing_seconds=0.0)
        await asyncio.sleep(0)
    titles = (
        "select title from todo_todo t join auth_user u on u.id = t.owner_id "
        "where u.username = 'brisk'"
    )
    wait_until(lambda: "milk" in str(stack.rows(titles)), 60, "the todo is added")


async def test_a_client_that_plays_nothing_is_hung_up_on(stack: Stack) -> None:
    async with call(stack) as opened:
        await say(opened, "text", text="what can you do")
        code, text = await closing(opened, 40)
    assert code == 4408
    assert "stopped playing" in text
    no_calls_left(stack)


async def test_a_call_that_is_too_long_ends_politely(new_stack: Stack) -> None:
    new_stack.env["MAX_CALL_SECONDS"] = "10"
    new_stack.start()
    async with call(new_stack) as opened:
        code, text = await closing(opened, 20)
    assert code == 4430
    assert "lasted" in text
    row = new_stack.rows("select end_reason, ended_at is not null from voice_call")
    assert row == [("call too long", 1)]


@contextmanager
def nothing_started(stack: Stack) -> Iterator[None]:
    """Who starts again what has ended is stopped: a worker may be back before anybody waits."""
    launcher = psutil.Process(stack.launcher_pid)
    launcher.suspend()
    yield
    launcher.resume()


async def test_a_lost_broker_and_a_lost_worker_are_told_and_nothing_is_lost(
    new_stack: Stack,
) -> None:
    new_stack.start()
    async with call(new_stack) as opened:
        wait_until(lambda: "fillers made" in new_stack.logs("web"), 60, "the fillers are made")
        broker = new_stack.kill("broker")
        assert "lost touch" in (await until(opened, "notice"))["text"]
        new_stack.wait_restarted("broker", broker)
        assert "back" in (await until(opened, "notice", 30))["text"]
        new_stack.wait_until_healthy()
        with nothing_started(new_stack):
            agent = new_stack.kill("agent")
            await say(opened, "text", text="add call the bank")
            filler, told, _ = await hear_until(opened, "filler", 30)
        done, _, _ = await hear_until(opened, "turn_done", 60, [*told, filler])
        assert "call the bank" in done["reply"].lower()
        new_stack.wait_restarted("agent", agent)
    assert new_stack.rows("select count(*) from todo_todo where title = 'call the bank'") == [(1,)]
    assert "broker lost" in new_stack.logs("web")
