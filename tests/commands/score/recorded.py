"""The forty recorded commands as they were heard, two voices each, as commands of the set."""

from __future__ import annotations

import csv
from pathlib import Path

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from tests.commands.score import claims
from tests.commands.score.picture import between
from tests.commands.score.play import Result, Stage, picture
from tests.commands.score.spoken import Command, Given, Said, Scene
from tests.commands.score.stage import nobody
from tests.commands.score.talk import Talk
from tests.commands.state import CHECKS, Outcome, Snapshot
from todo import demo

KIND = "recorded"
HEARD = Path(__file__).parents[1] / "heard.tsv"
# Asked once when several fit, or when the match is not sure.
YES = Said("yes please", if_asked=True)


def commands() -> list[Command]:
    rows = csv.DictReader(HEARD.open(encoding="utf-8"), delimiter="\t")
    return [
        Command(row["file"], KIND, KIND, Given([], [], []), [Said(row["heard"]), YES], [])
        for row in rows
    ]


async def play(stage: Stage, command: Command) -> Result:
    """Judged by `tests.commands.state`, as `make demo` judges the calls."""
    number = int(command.id[:2])
    user = await sync_to_async(_caller)(stage.scene, number)
    before = await sync_to_async(Snapshot.of)(user)
    kept = await picture(user, stage.scene)
    talk = Talk(stage.agent, stage.server, stage.clock, user, stage.scene.now)
    result, right = Result(command), False
    for turn in command.say:
        if turn.if_asked and (right or "?" not in talk.turns[-1].reply):
            break
        reply = (await talk.say(turn.words, seconds=stage.turn_seconds)).reply
        after = await sync_to_async(Snapshot.of)(user)
        was, kept = kept, await picture(user, stage.scene)
        result.invented += claims.invented(reply, between(was, kept), kept)
        right = CHECKS[number](Outcome(before, after, reply, stage.scene.now))
    result.turns = talk.turns
    result.wrong = [] if right else ["leaves another state, or says something else"]
    return result


def _caller(scene: Scene, number: int) -> User:
    user = nobody(scene.caller)
    demo.reset(user, scene.now, groceries=number == 19)
    return user
