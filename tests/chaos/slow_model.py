"""The local grammar, as slow as a model of a provider: so that a child works on many turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import uniform
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from workers.models_llm.local import LocalCommandModel

LEAST_SECONDS, MOST_SECONDS = 0.2, 1.5


class SlowCommandModel(LocalCommandModel):
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        await asyncio.sleep(uniform(LEAST_SECONDS, MOST_SECONDS))
        async for generation in super()._astream(messages, stop, run_manager, **kwargs):
            yield generation
