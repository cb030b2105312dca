"""Plays the commands, several calls at a time, and judges each by the database."""

from __future__ import annotations

import asyncio
import csv
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.utils import timezone

from convonet.caller import CallFailed, Exchange
from convonet.demo import snapshot
from convonet.demo.expectations import CHECKS, Outcome, false_claim
from convonet.demo.lines import Command, Way
from todo import demo, lists
from todo.actor import actor_for

YES = 38
"""The command that says "yes please" when a call asks before acting."""


@dataclass(slots=True)
class Result:
    command: Command
    heard: str = ""
    reply: str = ""
    wrong: str = ""
    claimed: bool = False
    timings_ms: dict[str, int] = field(default_factory=dict)
    server_ms: dict[str, int] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        return not self.wrong


def commands_of(folder: Path, *, typed: bool) -> list[Command]:
    """The recordings of `manifest.tsv`, or each of its texts once."""
    with (folder / "manifest.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    spoken = [Command(int(r["file"][:2]), r["voice"], r["text"], folder / r["file"]) for r in rows]
    if not typed:
        return spoken
    texts = {command.number: command.text for command in spoken}
    return [Command(number, "typed", text) for number, text in texts.items()]


async def play(
    commands: list[Command],
    *,
    way: Way,
    zone: ZoneInfo,
    calls: int,
    report: Callable[[Result], None],
) -> list[Result]:
    """Play all, at most `calls` at a time, each for a person of its own."""
    callers: asyncio.Queue[int] = asyncio.Queue(maxsize=calls)
    for number in range(calls):
        callers.put_nowait(await _caller(number))
    yes = {c.voice: c for c in commands if c.number == YES}

    async def one(command: Command) -> Result:
        user_id = await callers.get()
        try:
            result = await _play_one(command, yes[command.voice], user_id, way, zone)
        finally:
            callers.put_nowait(user_id)
        report(result)
        return result

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one(command)) for command in commands]
    return [task.result() for task in running]


@sync_to_async
def _caller(number: int) -> int:
    user, new = get_user_model().objects.get_or_create(username=f"caller-{number + 1}")
    if new:
        user.set_unusable_password()
        user.save()
    return int(user.pk)


async def _play_one(
    command: Command, yes: Command, user_id: int, way: Way, zone: ZoneInfo
) -> Result:
    before = await _prepare(user_id, command.number, zone)
    now = timezone.now().astimezone(zone)
    result = Result(command)

    def answer(exchange: Exchange) -> Command | None:
        asked = command.number in (4, 15, 31, 32) and exchange.reply.endswith("?")
        return yes if asked and len(before.items) else None

    try:
        exchanges = await way.place(user_id, command, answer)
    except CallFailed as error:
        result.wrong = str(error)
        return result
    after = await sync_to_async(snapshot.take)(user_id, zone)
    if not exchanges:
        result.wrong = "the call ended before anything could be said"
        return result
    result.heard = exchanges[0].transcript
    result.reply = " ".join(e.reply or " ".join(e.notices) for e in exchanges)
    result.timings_ms, result.server_ms = exchanges[0].timings_ms, exchanges[0].server_ms
    outcome = Outcome(before, after, result.reply, now)
    result.wrong = CHECKS[command.number](outcome)
    result.claimed = false_claim(outcome)
    return result


@sync_to_async
def _prepare(user_id: int, number: int, zone: ZoneInfo) -> snapshot.Snapshot:
    user, now = get_user_model().objects.get(pk=user_id), timezone.now()
    demo.reset(user, now.astimezone(zone))
    if number == 19:
        lists.create_list(actor_for(user, now=now, time_zone=str(zone)), "groceries")
    return snapshot.take(user_id, zone)


# The table ----------------------------------------------------------------------------------
STEPS = ("transcript", "first_token", "first_audio")


def table(results: list[Result]) -> str:
    """Markdown: one row a command, in order."""
    lines = [
        "| command | heard | reply | right | ms to transcript, first token, first audio |",
        "|---|---|---|---|---|",
    ]
    for r in results:
        times = " · ".join(str(r.timings_ms.get(step, "–")) for step in STEPS)
        right = "yes" if r.right else f"**no**: {r.wrong}"
        claim = " · **claims a change there is none of**" if r.claimed else ""
        lines.append(f"| {r.command.label} | {r.heard} | {r.reply} | {right}{claim} | {times} |")
    return "\n".join(lines).replace("||", "| |")


def summary(results: list[Result]) -> list[str]:
    right = sum(result.right for result in results)
    claims = sum(result.claimed for result in results)
    lines = [
        f"{right} of {len(results)} right ({100 * right / len(results):.0f} %), "
        f"{claims} wrong claims of success"
    ]
    for step in ("endpoint", *STEPS):
        values = [
            times[step]
            for r in results
            if (times := (r.server_ms if step == "endpoint" else r.timings_ms)).get(step)
        ]
        if values and results[0].command.voice != "typed":
            quantiles = statistics.quantiles(values, n=10) if len(values) > 1 else values * 9
            lines.append(
                f"end of speech to {step.replace('_', ' ')}: median "
                f"{statistics.median(values):.0f} ms, nine in ten within {quantiles[-1]:.0f} ms"
            )
    return lines


def heading(now: datetime, calls: int) -> str:
    return f"Played on {now:%A %d %B %Y at %H:%M %Z}, {calls} calls at a time."
