"""OpenAI's chat completions through `langchain-openai`: OPENAI_API_KEY, OPENAI_MODEL, OPENAI_URL.

Wire format: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from typing import Any

import httpx2
import openai
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from workers.language import environment
from workers.language.completions import Completions

MODEL = "gpt-5.4-mini"
# A caller waits while a model thinks: the least that this model knows.
_EFFORTS = ("none", "minimal", "low")


def make(transport: httpx2.AsyncBaseTransport | None = None) -> ChatOpenAI:
    """`transport` answers instead of the network."""
    model = chat(
        transport,
        model=environment.text("OPENAI_MODEL", MODEL),
        api_key=SecretStr(environment.text("OPENAI_API_KEY")),
        base_url=environment.base("OPENAI_URL") or "https://api.openai.com/v1",
        max_completion_tokens=environment.MOST_TOKENS,
    )
    known = (model.profile or {}).get("reasoning_effort_levels") or ()
    model.reasoning_effort = next((effort for effort in _EFFORTS if effort in known), None)
    return model


def chat(transport: httpx2.AsyncBaseTransport | None, **values: Any) -> ChatOpenAI:
    """A streaming model without the SDK's own retries, on a client that keeps its connection."""
    wait = environment.seconds()
    options: dict[str, Any] = {"verify": environment.trusted()}
    # Of the SDK's second client, for threads, which is never asked.
    unasked = openai.DefaultHttpxClient(**options)
    if transport:
        options["transport"] = transport
    client = openai.DefaultAsyncHttpxClient(
        timeout=httpx2.Timeout(wait, connect=min(wait, environment.CONNECT_SECONDS)),
        limits=httpx2.Limits(
            max_keepalive_connections=environment.KEPT_CONNECTIONS,
            keepalive_expiry=environment.KEEP_ALIVE_SECONDS,
        ),
        **options,
    )
    model = ChatOpenAI(
        **values,
        timeout=client.timeout,
        max_retries=0,
        streaming=True,
        stream_usage=True,
        # LangChain waits for each piece with asyncio.wait_for, which before Python 3.12 may lose a
        # cancellation: a time limit or an interruption that stops nothing. Ours bounds it all.
        stream_chunk_timeout=None,
        http_async_client=client,
        http_client=unasked,
    )
    model.async_client = Completions(model.root_async_client)
    return model


async def close(model: ChatOpenAI) -> None:
    await model.root_async_client.close()
    model.root_client.close()


_CALL = {"index": 0, "id": "1", "function": {"name": "rehearse", "arguments": "{}"}}
_REHEARSED: list[dict[str, Any]] = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Done."}}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [_CALL]}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}},
]


def rehearsal() -> ChatOpenAI:
    """A model whose one answer is here, so that all that a first answer loads gets loaded."""
    return make(answering())


def answering() -> httpx2.MockTransport:
    common = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    text = environment.events([common | piece for piece in _REHEARSED]) + "data: [DONE]\n\n"
    headers = {"content-type": "text/event-stream"}
    return httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=text))
