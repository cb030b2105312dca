"""OpenAI's chat completions as JSON in and out, asked through the SDK's own client.

The SDK goes through every message and tool by their types before it sends them, and makes an object
of each piece of the answer, which LangChain turns into a dictionary again: a sixth of all that an
agent child had to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openai import AsyncOpenAI, AsyncStream


class Completions:
    """Stands where LangChain finds `client.chat.completions`, and answers with streams alone."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def create(
        self, *, extra_body: Mapping[str, Any] | None = None, **body: Any
    ) -> AsyncStream[object]:
        """The pieces of the answer as they come; raises as the SDK does.

        `body` and `extra_body` together are the request: JSON, without the SDK's marks for what is
        not given. Wire format: https://platform.openai.com/docs/api-reference/chat/create
        """
        return await self._client.post(
            "/chat/completions",
            cast_to=object,
            body={**body, **(extra_body or {}), "stream": True},
            stream=True,
            stream_cls=AsyncStream[object],
        )
