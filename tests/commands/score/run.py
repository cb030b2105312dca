"""A whole run: every command against one provider, each in a call of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from convonet import providers
from tests.commands.score import recorded
from tests.commands.score.play import Result, Stage, play
from tests.commands.score.spoken import Command, scene
from tests.commands.score.table import Column
from tests.commands.score.tools import Clock, todo_server
from workers.agent_loop import Agent
from workers.language import models

# After a provider's name: what the grammar is sure of is not asked.
PREFERRED = "+local"


class Unavailable(Exception):
    """A provider that cannot be asked; its text is one sentence for a person."""


def agent_of(name: str) -> Agent:
    """The worker's agent with that provider alone, or with `+local` after the grammar.

    Raises Unavailable.
    """
    prefer_local, name = name.endswith(PREFERRED), name.removesuffix(PREFERRED)
    provider = providers.named(providers.LANGUAGE, name)
    if provider is not None and (lacks := providers.missing(provider)):
        raise Unavailable(lacks)
    try:
        loaded = models.load([name], prefer_local=prefer_local)
    except ImproperlyConfigured as error:
        raise Unavailable(str(error)) from None
    return Agent(loaded, settings.MODEL_DEADLINE_SECONDS)


async def score(
    name: str,
    agent: Agent,
    commands: Sequence[Command],
    *,
    at_once: int = 1,
    done: Callable[[Result], None] = lambda result: None,
) -> Column:
    """Say `commands` to `agent`, `at_once` calls side by side; `done` hears of each."""
    clock, turn = Clock(), asyncio.Semaphore(at_once)
    async with todo_server(clock) as server:
        stage = Stage(scene(), agent, server, clock, settings.TURN_DEADLINE_SECONDS)

        async def one(command: Command) -> Result:
            async with turn:
                is_recorded = command.kind == recorded.KIND
                result = await (recorded.play if is_recorded else play)(stage, command)
            done(result)
            return result

        results = await asyncio.gather(*(one(command) for command in commands))
    with suppress(Exception):
        await agent.models.close()
    return Column(name, list(results))
