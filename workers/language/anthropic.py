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
        options: dict[str, Any] = {"verify": environment.trusted()}
        if self.transport:
            options["transport"] = self.transport
        limits = httpx2.Limits(
            max_keepalive_connections=environment.KEPT_CONNECTIONS,
            keepalive_expiry=environment.KEEP_ALIVE_SECONDS,
        )
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


_REHEARSED: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        },
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Done."},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "rehearse", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": "{}"},
    },
    {"type": "content_block_stop", "index": 1},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"input_tokens": 1, "output_tokens": 2},
    },
    {"type": "message_stop"},
]


def rehearsal() -> ChatAnthropic:
    """A model whose one answer is here, so that all that a first answer loads gets loaded."""
    headers = {"content-type": "text/event-stream"}
    text = environment.events(_REHEARSED)
    return make(httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=text)))
