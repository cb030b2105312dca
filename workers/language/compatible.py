"""A server that speaks like OpenAI (llama.cpp, Ollama, vLLM): COMPATIBLE_URL, COMPATIBLE_MODEL.

COMPATIBLE_URL is the address up to and with `/v1`; COMPATIBLE_API_KEY only where the server asks.
"""

from __future__ import annotations

import httpx2
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from workers.language import environment
from workers.language.openai import answering, chat, close

__all__ = ["close", "make", "rehearsal"]

# llama.cpp serves the model it was started with, whatever it is asked for.
MODEL = "default"
# The SDK sends none without a key, and would look for OpenAI's, which is not this server's to see.
NO_KEY = "none"


def make(transport: httpx2.AsyncBaseTransport | None = None) -> ChatOpenAI:
    """`transport` answers instead of the network."""
    return chat(
        transport,
        model=environment.text("COMPATIBLE_MODEL", MODEL),
        api_key=SecretStr(environment.text("COMPATIBLE_API_KEY", NO_KEY)),
        base_url=environment.base("COMPATIBLE_URL"),
        # The older name: servers that do not know the newer one would not bound the answer.
        extra_body={"max_tokens": environment.MOST_TOKENS},
        use_responses_api=False,
    )


def rehearsal() -> ChatOpenAI:
    return make(answering())
