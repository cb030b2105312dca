"""A model that understands as the key-less one does and takes as long as one over a network.

With `PACED=tests.commands.score.paced.Paced`, `make commands PROVIDER=$PACED,$PACED+local` tells
how many questions, and how much time, the grammar's certainty saves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from convonet import env
from workers.models_llm.local import LocalCommandModel


class Paced(LocalCommandModel):
    model_name: str = "paced"
    seconds: float = env.integer("PACE_MS", 700) / 1000
    """From a question to the first piece of its answer."""

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        await asyncio.sleep(self.seconds)
        async for generation in super()._astream(messages, *args, **kwargs):
            yield generation
