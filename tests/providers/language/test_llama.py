"""The contract against a real llama.cpp server (`make llama`), as far as a model of 135 M goes.

Its answers make little sense: what counts is that they come, in the format that we read.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from mcp.types import Tool

from tests.providers.language import llama
from tests.providers.language.contract import AnswerContract
from tests.providers.language.service import Service, opened
from workers.agent_loop import as_langchain
from workers.history import PastTool, PastTurn, conversation
from workers.language import failures

pytestmark = [pytest.mark.llama, pytest.mark.service]
# llama.cpp's server speaks both formats.
PROVIDERS = ["compatible", "anthropic"]
KEY = "sk-of-the-tests"
ADD = as_langchain(
    Tool(
        name="add",
        description="Add a todo",
        inputSchema={
            "type": "object",
            "properties": {"what": {"type": "string"}},
            "required": ["what"],
        },
    )
)
DONE = {"status": "ok"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if lacking := llama.lacking():
        pytest.skip(lacking)
    with llama.running(tmp_path_factory.mktemp("llama"), "--api-key", KEY) as url:
        yield url


def environment(provider: str, url: str, key: str = KEY) -> dict[str, str]:
    address = url if provider == "anthropic" else f"{url}/v1"
    name = provider.upper()
    return {f"{name}_URL": address, f"{name}_API_KEY": key, f"{name}_MODEL": "smollm2"}


@pytest.fixture(params=PROVIDERS)
async def service(
    request: pytest.FixtureRequest, url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    provider = request.param
    async with opened(provider, monkeypatch, environment(provider, url)) as service:
        yield service


class TestLlama(AnswerContract):
    async def test_it_tells_its_tokens_and_its_model(self, service: Service) -> None:
        if service.member.name == "anthropic":
            pytest.skip(
                "llama.cpp tells the tokens asked at the start only; LangChain reads the end"
            )
        await super().test_it_tells_its_tokens_and_its_model(service)


async def test_it_streams_a_call_as_in_the_turns_before_and_goes_on_from_its_result(
    service: Service,
) -> None:
    """Even this model does again what it sees done, with the call parsed by llama.cpp."""
    past = [
        PastTurn(n, f"Add {what}.", "Done.", tools=[PastTool("add", {"what": what}, DONE)])
        for n, what in enumerate(["buy bread", "call Anna"], start=1)
    ]
    messages = [SystemMessage("You keep todos."), *conversation(past, "Add buy milk.")]
    first = await service.ask(messages, tools=[ADD])
    assert first.calls == [("add", {"what": "buy milk"})]
    assert first.answer is not None
    assert first.use.tokens_out > 0
    result = ToolMessage(json.dumps(DONE), tool_call_id=first.answer.tool_calls[0]["id"])
    last = await service.ask([*messages, first.answer, result], tools=[ADD])
    assert last.code == ""


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_wrong_key_is_told_from_all_else(
    provider: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = environment(provider, url, "wrong")
    async with opened(provider, monkeypatch, env) as service:
        assert (await service.ask("Say yes.")).code == failures.AUTH


async def test_a_question_longer_than_it_can_read_is_refused(service: Service) -> None:
    words = "word " * (int(llama.CONTEXT_TOKENS) + 1000)
    failed = await service.ask([SystemMessage("Be brief."), HumanMessage(words)])
    assert failed.code == failures.REFUSED


async def test_two_questions_at_once_are_both_answered(service: Service) -> None:
    both = await asyncio.gather(service.ask("Say yes."), service.ask("Say no."))
    assert all(asked.words.strip() for asked in both)
