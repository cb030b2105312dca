"""Gemini through `langchain-google-genai`: GOOGLE_API_KEY, GOOGLE_MODEL, GOOGLE_URL.

Wire format: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.request import getproxies

import httpx
from langchain_google_genai import ChatGoogleGenerativeAI
from pydantic import SecretStr

from workers.language import environment

MODEL = "gemini-3.5-flash-lite"
# A caller waits while a model thinks: the least that this model knows.
_EFFORTS: tuple[Literal["minimal", "low"], ...] = ("minimal", "low")


def make(transport: httpx.AsyncBaseTransport | None = None) -> ChatGoogleGenerativeAI:
    """`transport` answers instead of the network."""
    wait = environment.seconds()
    model = ChatGoogleGenerativeAI(
        model=environment.text("GOOGLE_MODEL", MODEL),
        api_key=SecretStr(environment.text("GOOGLE_API_KEY")),
        base_url=environment.base("GOOGLE_URL"),
        vertexai=False,
        timeout=wait,
        # The SDK takes 0 for its own default; 1 is the request alone.
        max_retries=1,
        max_tokens=environment.MOST_TOKENS,
        streaming=True,
        # With one of its own the SDK asks by httpx, like all others, also where aiohttp is there.
        client_args={"transport": transport or _transport()},
    )
    known = (model.profile or {}).get("reasoning_effort_levels") or ()
    model.reasoning_effort = next((effort for effort in _EFFORTS if effort in known), None)
    return model


class _Transport(httpx.AsyncHTTPTransport):
    def close(self) -> None:
        """The SDK gives it to its client for threads too, which is never asked, and closes that."""


def _transport() -> httpx.AsyncBaseTransport:
    limits = httpx.Limits(
        max_keepalive_connections=environment.KEPT_CONNECTIONS,
        keepalive_expiry=environment.KEEP_ALIVE_SECONDS,
    )
    proxy = getproxies().get("https")
    return _Transport(limits=limits, proxy=proxy, verify=environment.trusted())


async def close(model: ChatGoogleGenerativeAI) -> None:
    await model.aclose()


_PARTS = [{"text": "Done."}, {"functionCall": {"name": "rehearse", "args": {}}}]
_REHEARSED: list[dict[str, Any]] = [
    {
        "candidates": [
            {"content": {"role": "model", "parts": _PARTS}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
        "modelVersion": MODEL,
    }
]


def rehearsal() -> ChatGoogleGenerativeAI:
    """A model whose one answer is here, so that all that a first answer loads gets loaded."""
    headers = {"content-type": "text/event-stream"}
    text = environment.events(_REHEARSED)
    return make(httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, text=text)))
