"""Callers on the real call machine, with the real agent and its tools, who want a person.

Twilio is simulated, and what is heard and how it sounds is played; all else is the product.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis as redis_library
from redis.asyncio import Redis

from convonet.far_end.line import Line
from convonet.far_end.people import Person
from convonet.far_end.phone_call import Dialog, PhoneCall
from convonet.far_end.webhooks import Webhooks
from tests.phone.calling import CALL_SECONDS, a_word, dialog, heard, number, open_known
from tests.phone.web import Web
from tests.phone.workers import MS
from tests.stack import ROOT, wait_until
from voice import envelope, events, keys
from voice.streams import FIELD

pytestmark = pytest.mark.service

# No other test calls there: the web process is shared.
OURS = "+15005550042"
ANNA, BEN, FINN = "+15550100001", "+15550100002", "+15550100003"
# Of the time that ringing, whispers and talks take.
PACE = 0.02
BEEP_BYTES = 300 * MS
PEOPLE = f"""
from phone.models import Contact, Department, Line
from voice.models import Business
firm = Business.objects.create(
    name="Ebert", emergency_key=True, guest_tools=["transfer_to_person", "add_todos"]
)
Line.objects.create(number="{OURS}", business=firm)
sales = Department.objects.create(business=firm, name="Sales")
urgent = Department.objects.create(business=firm, name="Emergency", is_emergency=True, order=9)
for order, (department, name, number) in enumerate(
    [(sales, "Anna", "{ANNA}"), (sales, "Ben", "{BEN}"), (urgent, "Finn", "{FINN}")]
):
    Contact.objects.create(department=department, name=name, number=number, order=order)
"""


class Ears:
    """Speech workers: what is said is what the test says it is, and no two sound alike."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self.hears = ""
        self.spoken: list[bytes] = []

    async def run(self) -> None:
        while True:
            taken = await self._redis.brpop([envelope.SPEECH], timeout=1)
            if taken is not None:
                message = json.loads(taken[1])
                (arguments, _, _) = json.loads(base64.b64decode(message["body"]))
                await self._do(message["headers"]["task"].removeprefix(envelope.TASKS), arguments)

    async def _do(self, task: str, arguments: list[Any]) -> None:
        if task == "transcribe":
            utterance_id, call_id, *_ = arguments
            await self._tell(call_id, events.Transcribed(utterance_id, self.hears, 5))
        elif task == "speak":
            turn_id, seq = arguments
            call_id = (await self._redis.hget(keys.reply_text(turn_id), "call") or b"").decode()
            self.spoken.append(bytes([len(self.spoken) + 1]) * BEEP_BYTES)
            size = await self._redis.append(keys.reply_audio(turn_id, seq), self.spoken[-1])
            await self._redis.expire(keys.reply_audio(turn_id, seq), keys.AUDIO_SECONDS)
            await self._tell(call_id, events.SentenceAudio(turn_id, seq, size, final=True))

    async def _tell(self, call_id: str, event: events.Event) -> None:
        stream = keys.call_stream(call_id)
        await self._redis.xadd(stream, {FIELD: events.encode(event)}, maxlen=keys.STREAM_LENGTH)
        await self._redis.expire(stream, keys.STREAM_SECONDS)


@pytest.fixture(scope="module")
def office(web: Web) -> Iterator[Web]:
    """The web process with an agent and its tools, and a business that can be called."""
    _run(web, f"{sys.executable} manage.py shell -v 0 -c {shlex.quote(PEOPLE)}").wait(60)
    lines = (ROOT / "Procfile").read_text().splitlines()
    wanted = [line.partition(": ")[2] for line in lines if line.startswith(("mcp:", "agent:"))]
    running = [_run(web, command) for command in wanted]
    try:
        wait_until(lambda: _agent_lives(web), 90, "the agent lives")
        yield web
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


def _run(web: Web, command: str) -> subprocess.Popen[bytes]:
    with (web.var_dir / "workers.log").open("ab") as log:
        return subprocess.Popen(
            ["sh", "-c", command],
            cwd=ROOT,
            env=web.env | {"AGENT_CHILDREN": "1"},
            stdout=log,
            stderr=log,
        )


def _agent_lives(web: Web) -> bool:
    with redis_library.Redis.from_url(web.broker) as client:
        return bool(client.exists(keys.heartbeat("agent")))


@pytest.fixture
async def ears(office: Web) -> AsyncIterator[Ears]:
    redis = Redis.from_url(office.broker)
    ears = Ears(redis)
    running = asyncio.create_task(ears.run())
    yield ears
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await redis.aclose()


@dataclass
class Caller:
    """Somebody whom nobody knows, and what became of their call."""

    web: Web
    ears: Ears
    line: Line
    call: PhoneCall

    async def say(self, words: str) -> str:
        """What the agent said to it."""
        self.ears.hears = words
        turns = self.turns()
        await self.line.say(a_word())
        assert await self.line.until(lambda: len(self.answered()) > len(turns), CALL_SECONDS), (
            self.line.doing,
            self.line.errors,
        )
        await self.line.quiet(0.3, CALL_SECONDS)
        return self.answered()[-1][1]

    def turns(self) -> list[tuple[str, str]]:
        """(what was said, what was replied) as the rows have it."""
        return self.web.rows(
            "select t.transcript, t.reply from voice_turn t join phone_phonecall p"
            " on p.call_id = t.call_id where p.sid = ? order by t.number",
            self.call.sid,
        )

    def answered(self) -> list[tuple[str, str]]:
        return [turn for turn in self.turns() if turn[1]]

    @property
    def transfer(self) -> tuple[str, list[tuple[str, str]]]:
        """Its state, and whom it rang for with what came of it."""
        ((state, tried),) = self.web.rows(
            "select t.state, t.tried from phone_transfer t join phone_phonecall p"
            " on p.call_id = t.call_id where p.sid = ?",
            self.call.sid,
        )
        return state, [(one["name"], one["outcome"]) for one in json.loads(tried)]


Talk = Callable[[Caller], Awaitable[None]]


def to_us(office: Web, caller: str) -> Dialog:
    return replace(dialog(office, caller), called=OURS)


async def call(office: Web, ears: Ears, talk: Talk, people: dict[str, Person]) -> Caller:
    """A whole call, until the caller has nothing more to say or the line is dead."""
    line = Line()
    async with Webhooks(office.account) as webhooks:
        placed = PhoneCall(line, webhooks, to_us(office, number(7)), people=people, pace=PACE)
        caller = Caller(office, ears, line, placed)

        async def person(line: Line) -> None:
            await line.quiet(0.3, CALL_SECONDS)
            await talk(caller)
            # Whatever comes now: a person, the agent again, the end.
            await line.until(lambda: line.doing == "over", CALL_SECONDS)

        await asyncio.wait_for(placed.run(person), 3 * CALL_SECONDS)
    assert line.errors == []
    return caller


def said_by_row(web: Web, sid: str) -> tuple[str, str]:
    ((status, reason),) = web.rows(
        "select p.status, c.end_reason from voice_call c join phone_phonecall p"
        " on p.call_id = c.id where p.sid = ?",
        sid,
    )
    return status, reason


async def test_a_caller_is_joined_with_the_next_who_takes_the_call(office: Web, ears: Ears) -> None:
    people = {ANNA: Person("busy"), BEN: Person(keys="1")}

    async def talk(caller: Caller) -> None:
        assert await caller.say("mark the report as done") != ""
        assert caller.line.doing == "stream"
        said = await caller.say("connect me with sales about my broken gate")
        assert said == "I connect you with Sales now."

    caller = await call(office, ears, talk, people)
    assert (people[ANNA].called, people[BEN].called, people[BEN].joined) == (1, 1, 1)
    (whisper, *_) = people[BEN].told
    assert whisper == (
        "A call for Sales, from somebody whose number ends in 0 0 0 7."
        " It is about: my broken gate. Press any key to take the call."
    )
    assert people[BEN].callers == [OURS]
    assert [dialled.status for dialled in caller.call.dialled] == ["busy", "completed"]
    assert caller.transfer == ("done", [("Anna", "busy"), ("Ben", "talked")])
    assert caller.call.streams == 1
    assert said_by_row(office, caller.call.sid) == ("completed", "talked to a person")


async def test_a_caller_whom_nobody_takes_is_back_with_an_agent_who_remembers(
    office: Web, ears: Ears
) -> None:
    """And whose goodbye then ends the call, after it was heard."""
    people = {ANNA: Person("no-answer"), BEN: Person(keys="")}

    async def talk(caller: Caller) -> None:
        await caller.say("can I speak to anna")
        assert await caller.line.until(lambda: caller.call.streams == 2, CALL_SECONDS)
        await caller.line.quiet(0.3, CALL_SECONDS)
        assert await caller.say("what did you say") == "I connect you with Anna now."
        assert await caller.say("thank you") == "You are welcome. Anything else?"
        assert await caller.say("no, that's all, goodbye") == "Goodbye!"

    caller = await call(office, ears, talk, people)
    assert caller.transfer == (
        "missed",
        [("Anna", "no answer"), ("Ben", "did not take the call")],
    )
    assert people[BEN].joined == 0
    assert [said for said, _ in caller.turns()] == [
        *("can I speak to anna", "what did you say", "thank you", "no, that's all, goodbye"),
    ]
    assert caller.call.streams == 2
    ((saying,),) = office.rows("select saying from phone_phonecall where sid = ?", caller.call.sid)
    assert saying == "Nobody in Sales answered. I am back. What else can I do for you?"
    assert said_by_row(office, caller.call.sid) == ("completed", "said goodbye")
    # The last sentence was heard to its end before the socket closed.
    assert heard(caller.line).endswith(ears.spoken[-1])
    assert caller.line.ear.marks_out == 0


async def test_the_emergency_key_connects_without_agent_or_workers(office: Web) -> None:
    """And without waiting for them: nobody is there to hear what was said before it."""
    people = {FINN: Person(keys="1")}
    line = Line()
    async with Webhooks(office.account) as webhooks:
        placed = PhoneCall(line, webhooks, to_us(office, number(8)), people=people, pace=PACE)
        await open_known(office, webhooks, placed)

        async def person(line: Line) -> None:
            assert await line.until(lambda: line.doing == "stream", CALL_SECONDS)
            await line.say(a_word())
            assert await line.until(lambda: unheard(office, placed.sid) == 1, CALL_SECONDS)
            line.press("#")
            await line.until(lambda: line.doing == "over", CALL_SECONDS)

        await asyncio.wait_for(placed.run(person), 3 * CALL_SECONDS)
    assert "call left undecided" not in office.log
    assert line.told[0] == "I connect you now."
    assert people[FINN].joined == 1
    assert re.fullmatch(
        r"An emergency call, from guest-\d+\. It is about: pressed the emergency key\."
        r" Press any key to take the call\.",
        people[FINN].told[0],
    )
    assert said_by_row(office, placed.sid) == ("completed", "talked to a person")


def unheard(office: Web, sid: str) -> int:
    """Turns whose words nobody has made out yet."""
    ((count,),) = office.rows(
        "select count(*) from voice_turn t join phone_phonecall p on p.call_id = t.call_id"
        " where p.sid = ? and t.state = 'transcribing'",
        sid,
    )
    return int(count)
