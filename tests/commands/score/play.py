"""One command: put its rows there, say its turns, and judge what is there afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from tests.commands.score import claims, judge
from tests.commands.score.picture import Changes, Picture, between
from tests.commands.score.spoken import Command, Said, Scene
from tests.commands.score.stage import person
from tests.commands.score.talk import Heard, Talk
from tests.commands.score.tools import Clock
from workers.agent_loop import Agent
from workers.tools import TodoServer


@dataclass(slots=True)
class Result:
    """What became of a command: right when nothing is wrong and nothing invented."""

    command: Command
    turns: list[Heard] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        return not self.wrong and not self.invented


@dataclass(frozen=True, slots=True)
class Stage:
    """What all commands of a run share. `turn_seconds` bounds each turn."""

    scene: Scene
    agent: Agent
    server: TodoServer
    clock: Clock
    turn_seconds: float


async def play(stage: Stage, command: Command) -> Result:
    scene, result = stage.scene, Result(command)
    caller = await sync_to_async(person)(scene.caller, command.given, scene.zone)
    stranger = await sync_to_async(person)(scene.stranger, scene.strangers, scene.zone)
    first, theirs = await picture(caller, scene), await picture(stranger, scene)
    talk, now = Talk(stage.agent, stage.server, stage.clock, caller, scene.now), first
    for turn in command.say:
        if not _wanted(turn, talk):
            continue
        heard = await talk.say(turn.words, seconds=stage.turn_seconds)
        before, now = now, await picture(caller, scene)
        result.invented += claims.invented(heard.reply, between(before, now), now)
    result.turns = talk.turns
    touched = await picture(stranger, scene) != theirs
    result.wrong = _wrong(command, talk.turns, between(first, now), touched)
    return result


def _wanted(turn: Said, talk: Talk) -> bool:
    return not turn.if_asked or "?" in talk.turns[-1].reply


async def picture(user: User, scene: Scene) -> Picture:
    return await sync_to_async(Picture.of)(user, scene.zone)


def _wrong(
    command: Command, turns: list[Heard], changes: Changes, touched_another: bool
) -> list[str]:
    last, all_said = turns[-1].reply, " ".join(turn.reply for turn in turns)
    wrong = [f"the turn ended with {turn.ended}" for turn in turns if turn.ended]
    wrong += judge.complaints(changes, command.ends)
    wrong += [f"does not say {one}" for one in command.says if not _holds(one, last)]
    wrong += [f"says {one}" for one in command.hides if _holds(one, all_said)]
    if command.asks and "?" not in last:
        wrong.append("does not ask")
    if not last:
        wrong.append("says nothing")
    if touched_another:
        wrong.append("touched what somebody else keeps")
    return wrong


def _holds(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None
