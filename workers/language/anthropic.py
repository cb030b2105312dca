"""Claude through `langchain-anthropic`: ANTHROPIC_API_KEY, ANTHROPIC_MODEL, ANTHROPIC_URL.

Wire format: https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import anthropic
import httpx2
from langchain_anthropic import ChatAnthropic
from pydantic import SecretStr

from workers.language import environment

MODEL = "claude-haiku-5-5"


class _Claude(ChatAnthropic):
    """LangChain's model on a client of our own, which keeps its connection between turns."""

    transport: Any = None

    @cached_property
    def _async_client(self) -> anthropic.AsyncAnthropic:
        wait = environment.seconds()
        timeout = httpx2.Timeout(wait, connect=min(wait, environment.CONNECT_SECONDS))
        options: dict[str, Any] = {"transport": self.transport} if self.transport else {}
        limits = httpx2.Limits(keepalive_expiry=environment.KEEP_ALIVE_SECONDS)
        client = anthropic.DefaultAsyncHttpxClient(limits=limits, **options)
        params = self._client_params | {"timeout": timeout, "http_client": client}
        return anthropic.AsyncAnthropic(**params)


def make(transport: httpx2.AsyncBaseTransport | None = None) -> ChatAnthropic:
    """`transport` answers instead of the network."""
    return _Claude(
        model_name=environment.text("ANTHROPIC_MODEL", MODEL),
        api_key=SecretStr(environment.text("ANTHROPIC_API_KEY")),
        base_url=environment.base("ANTHROPIC_URL") or "https://api.anthropic.com",
        timeout=environment.seconds(),
        max_retries=0,
        max_tokens_to_sample=environment.MOST_TOKENS,
        streaming=True,
        stream_usage=True,
        stop=None,
        transport=transport,
    )


async def close(model: ChatAnthropic) -> None:
    if "_async_client" in model.__dict__:
        await model._async_client.close()
