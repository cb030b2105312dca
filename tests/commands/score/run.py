"""A whole run: every command against one provider, each in a call of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from convonet import providers
from tests.commands.score.play import Result, Stage, play
from tests.commands.score.spoken import Command, scene
from tests.commands.score.table import Column
from tests.commands.score.tools import Clock, todo_server


class Unavailable(Exception):
    """A provider that cannot be asked; its text is one sentence for a person."""


def model_of(name: str) -> Any:
    """The provider's chat model. Raises Unavailable."""
    provider = providers.named(providers.LANGUAGE, name)
    if provider is None:
        known = ", ".join(providers.LANGUAGE)
        raise Unavailable(f"There is no language model {name!r}; known: {known}.")
    if lacks := providers.missing(provider):
        raise Unavailable(lacks)
    return import_string(provider.path)()


def name_of(model: Any) -> str:
    for attribute in ("model_name", "model"):
        name = getattr(model, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(model).__name__


async def score(
    provider: str,
    model: Any,
    commands: Sequence[Command],
    *,
    at_once: int = 1,
    done: Callable[[Result], None] = lambda result: None,
) -> Column:
    """Say `commands` to `model`, `at_once` calls side by side; `done` hears of each."""
    clock, turn = Clock(), asyncio.Semaphore(at_once)
    async with todo_server(clock) as server:
        stage = Stage(scene(), model, server, clock, settings.TURN_DEADLINE_SECONDS)

        async def one(command: Command) -> Result:
            async with turn:
                result = await play(stage, command)
            done(result)
            return result

        results = await asyncio.gather(*(one(command) for command in commands))
    with suppress(AttributeError):
        await model.aclose()
    return Column(provider, name_of(model), list(results))
