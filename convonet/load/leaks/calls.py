"""`python -m convonet.load.leaks.calls`: makes short calls and many turns, as it is told.

Commands are JSON lines on stdin, each answered by one on stdout. A short call by telephone is
greeted, hears a second of it and hangs up; every tenth also says something and hears the answer.
A short call from a browser types its turns one after the other and hangs up.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django

from convonet.far_end import names, sound
from convonet.far_end.line import Line
from convonet.far_end.phone_call import Dialog, PhoneCall
from convonet.far_end.socket import NotOpened
from convonet.far_end.webhooks import Account, Route, Webhooks
from convonet.load import plan
from convonet.load.leaks.typist import Typist

ROOT = Path(__file__).resolve().parents[3]
RECORDING = ROOT / "tests" / "audio" / "17-woman.wav"
# All of them have called once it is warm: what a person leaves, as a list, is left but once.
USERS = 10
# At a time: enough to keep the workers busy, too few to keep anybody waiting.
TYPISTS, PHONES = 8, 4
EVERY_SPEAKS = 10
GREETED_SECONDS, ANSWER_SECONDS = 30.0, 60.0
HEARS_SECONDS = 1.0
# Without a sound for so long, the greeting is over.
QUIET_SECONDS = 0.7
# Of different words, so that nothing that is kept by words is kept once.
SAYINGS = ("What is on my list today", "Read me number", "Show my lists please, for the")
MOST_FAULTS = 20


class Calls:
    def __init__(self, port: int) -> None:
        self._port = port
        self._users: list[int] = []
        self._phones = self._typists = self._words = 0
        self._random = random.Random(1)  # noqa: S311
        self._faults: list[str] = []
        route = Route(plan.PUBLIC_URL, f"http://127.0.0.1:{port}")
        self._webhooks = Webhooks(Account(names.ACCOUNT, names.AUTH_TOKEN), route)

    async def serve(self) -> None:
        """One command at a time, until stdin ends."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        while line := await reader.readline():
            name, *arguments = json.loads(line)
            answer = await getattr(self, f"do_{name}")(*arguments)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()

    async def do_prepare(self) -> int:
        from convonet.load import rows

        people = [f"bench-{number}" for number in range(USERS)]
        self._users = list((await asyncio.to_thread(rows.prepare, people)).values())
        return len(self._users)

    async def do_round(self, phones: int, browsers: int, turns: int) -> dict[str, Any]:
        """So many calls of each kind, and typed turns over the latter; answers what came of it."""
        share, rest = divmod(turns, max(1, browsers))
        counts = [share + (number < rest) for number in range(browsers)]
        typed = await asyncio.gather(
            _in_lanes(TYPISTS, [lambda n=n: self._type(n) for n in counts]),  # type: ignore[misc]
            _in_lanes(PHONES, [self._phone] * phones),
        )
        told = {"turns": sum(typed[0]), "calls": phones + browsers, "faults": self._faults}
        self._faults = []
        return told

    async def do_open(self) -> int:
        """Turns that have not come to an end."""
        from convonet.load import rows

        return await asyncio.to_thread(rows.open_turns)

    async def do_rows(self) -> dict[str, int]:
        return await asyncio.to_thread(_rows)

    async def _type(self, turns: int) -> int:
        from voice import tickets

        user = self._users[self._typists % USERS]
        self._typists += 1
        typist = Typist()
        try:
            url = f"ws://127.0.0.1:{self._port}/ws/call?ticket={tickets.issue(user)}"
            await typist.call(url, turns, self._next_words)
        except NotOpened as error:
            typist.failed.append(str(error))
        self._note(typist.failed)
        return typist.done

    def _next_words(self) -> str:
        self._words += 1
        return f"{self._random.choice(SAYINGS)} {self._words}?"

    async def _phone(self) -> int:
        self._phones += 1
        # A number of its own for each: what is kept by number is not kept once.
        dialog = Dialog(
            voice_url=f"{plan.PUBLIC_URL}/twilio/voice",
            status_url=f"{plan.PUBLIC_URL}/twilio/status",
            caller=f"+1500555{10_000 + self._phones}",
        )
        line = Line(keep=False)
        person = _asks if self._phones % EVERY_SPEAKS == 0 else _listens
        await PhoneCall(line, self._webhooks, dialog).run(person)
        self._note([*line.errors, *line.told])
        return 0

    def _note(self, faults: list[str]) -> None:
        self._faults += faults[: MOST_FAULTS - len(self._faults)]


async def _listens(line: Line) -> None:
    began = datetime.now(UTC)
    if not await line.until(lambda: line.count("media") > 0, GREETED_SECONDS):
        line.error(f"not greeted, who called at {began:%H:%M:%S} (stream {line.doing})")
    await asyncio.sleep(HEARS_SECONDS)


def _is_quiet(line: Line) -> bool:
    return not line.arrivals or line.clock() - line.arrivals[-1].at > QUIET_SECONDS


async def _asks(line: Line) -> None:
    await _listens(line)
    await line.until(lambda: _is_quiet(line), GREETED_SECONDS)
    await line.say(sound.speech_of(RECORDING))
    before = line.count("media")
    if not await line.until(lambda: line.count("media") > before, ANSWER_SECONDS):
        line.error("not answered")
    await asyncio.sleep(HEARS_SECONDS)


async def _in_lanes(lanes: int, work: list[Callable[[], Awaitable[int]]]) -> list[int]:
    """The answers of all, so many at a time."""
    waiting = iter(work)
    answers: list[int] = []

    async def lane() -> None:
        for one in waiting:
            answers.append(await one())

    await asyncio.gather(*(lane() for _ in range(lanes)))
    return answers


def _rows() -> dict[str, int]:
    from django.apps import apps

    return {model._meta.db_table: model._base_manager.count() for model in apps.get_models()}


def main() -> None:
    django.setup()
    asyncio.run(Calls(int(sys.argv[1])).serve())


if __name__ == "__main__":
    main()
