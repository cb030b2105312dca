"""Every language adapter against a local server that speaks its provider's published format."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from tests.providers.language.contract import LanguageContract
from tests.providers.language.service import TOOLS, Service, opened
from tests.standins.process import StandIns
from workers.language import failures

# One loop for the clients that the tests of a service share.
pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]

# By the name of the stand-in: the provider, and what the environment says besides.
SERVICES: dict[str, tuple[str, dict[str, str]]] = {
    "anthropic": ("anthropic", {}),
    "google": ("google", {}),
    "openai": ("openai", {}),
    "llama": ("compatible", {}),
    "ollama": ("compatible", {"COMPATIBLE_URL": "{url}/ollama/v1", "COMPATIBLE_MODEL": "qwen3"}),
}
WRONG_KEYS = [
    ("anthropic", {"ANTHROPIC_API_KEY": "wrong"}),
    ("google", {"GOOGLE_API_KEY": "wrong"}),
    ("openai", {"OPENAI_API_KEY": "wrong"}),
    ("compatible", {"COMPATIBLE_URL": "{url}/locked/v1", "COMPATIBLE_API_KEY": "wrong"}),
    ("compatible", {"COMPATIBLE_URL": "{url}/locked/v1"}),
]
NAMES = (
    "ANTHROPIC_MODEL",
    "GOOGLE_MODEL",
    "OPENAI_MODEL",
    "COMPATIBLE_MODEL",
    "COMPATIBLE_API_KEY",
)
CODES = {
    "key": failures.AUTH,
    "rate": failures.RATE,
    "server": failures.SERVER,
    "overloaded": failures.SERVER,
    "half": failures.HALF,
    "short": failures.HALF,
    "error": failures.SERVER,
    "page": failures.GARBAGE,
    "broken": failures.GARBAGE,
    "noise": failures.GARBAGE,
    "empty": failures.GARBAGE,
    "refusal": failures.REFUSED,
    "model": failures.MISSING,
}


def environment(
    standins: StandIns, monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]
) -> dict[str, str]:
    """Of the stand-ins alone, whatever the shell says."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return standins.env | {name: text.format(url=standins.url) for name, text in extra.items()}


@pytest_asyncio.fixture(params=SERVICES, scope="module", loop_scope="module")
async def kept(
    request: pytest.FixtureRequest, running_standins: StandIns
) -> AsyncIterator[Service]:
    """Its client keeps its connection from test to test, also after it was used badly."""
    provider, extra = SERVICES[request.param]
    with pytest.MonkeyPatch.context() as monkeypatch:
        env = environment(running_standins, monkeypatch, extra)
        async with opened(provider, monkeypatch, env, plays_scripts=True) as service:
            yield service


@pytest.fixture
def service(kept: Service, standins: StandIns) -> Service:
    return kept.rested()


class TestOnStandIns(LanguageContract):
    pass


async def ask(service: Service, *steps: dict[str, Any], **options: Any) -> Any:
    return await service.ask(json.dumps(steps), **options)


async def test_each_failure_has_its_code_and_the_next_question_is_answered(
    service: Service,
) -> None:
    for fault, code in CODES.items():
        failed = await ask(service, {"say": "This is never whole.", "fail": fault})
        assert (fault, failed.code) == (fault, code)
        assert {use.error for use in failed.uses} == {code}
        assert (await ask(service, {"say": "Well again."})).words == "Well again."


@pytest.mark.parametrize(
    "slow",
    [
        {"fail": "silence"},
        {"say": "One two three four.", "fail": "stall"},
    ],
    ids=["silence", "stall"],
)
async def test_a_slow_answer_runs_into_its_time_limit(
    service: Service, slow: dict[str, Any]
) -> None:
    assert (await ask(service, slow, seconds=0.2)).code == failures.TIMEOUT
    assert (await ask(service, {"say": "Well again."})).words == "Well again."


async def test_the_time_limit_holds_at_whatever_moment_it_comes(service: Service) -> None:
    """Also when a piece arrives at that moment; an answer not stopped would be told as whole."""
    words = {"say": "word " * 200, "delay": 0.001}
    codes = [(await ask(service, words, seconds=0.01 * n)).code for n in range(1, 11)]
    assert codes == [failures.TIMEOUT] * 10


async def test_a_question_that_is_dropped_is_dropped_at_the_provider(
    service: Service, standins: StandIns
) -> None:
    """Which stops making, and charging for, what nobody will hear."""
    task = asyncio.create_task(ask(service, {"say": "One two three four.", "fail": "stall"}))
    await asyncio.to_thread(standins.wait_for, "open", sent=1)
    task.cancel()
    await asyncio.wait({task})
    assert (await asyncio.to_thread(standins.wait_for, "left")).why == "stall"


async def test_a_failure_that_passes_is_asked_again_once(
    service: Service, standins: StandIns
) -> None:
    asked = await ask(service, {"say": "At last.", "fail": "server", "times": 1})
    assert asked.words == "At last."
    assert [use.error for use in asked.uses] == [failures.SERVER, ""]
    assert [visit.outcome for visit in standins.visits] == ["refused", "answered"]


async def test_what_it_was_asked_to_wait_is_what_it_rests(service: Service) -> None:
    failed = await ask(service, {"fail": "rate", "retry_after": 120})
    assert failed.code == failures.RATE
    assert not service.member.breaker.allows(0.0)


async def test_no_call_to_a_tool_is_made_of_half_an_answer(service: Service) -> None:
    tools = [["add_todos", {"items": [{"title": "buy milk and a lot of other things"}]}]]
    for fault in ("half", "short"):
        failed = await ask(service, {"tools": tools, "fail": fault}, tools=TOOLS)
        assert failed.code in (failures.HALF, failures.GARBAGE)


@pytest.mark.parametrize(("provider", "wrong"), WRONG_KEYS)
async def test_a_wrong_key_is_told_from_all_else(
    provider: str, wrong: dict[str, str], standins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = environment(standins, monkeypatch, wrong)
    async with opened(provider, monkeypatch, env, plays_scripts=True) as service:
        failed = await ask(service, {"say": "Never said."})
    assert failed.code == failures.AUTH
    assert [visit.outcome for visit in standins.visits] == ["refused"]


@pytest.mark.parametrize("provider", ["anthropic", "google", "openai", "compatible"])
async def test_a_server_that_is_not_there_is_unreached(
    provider: str, standins: StandIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing listens on port 1.
    env = {
        name: text.replace(standins.url, "http://127.0.0.1:1")
        for name, text in standins.env.items()
    }
    async with opened(provider, monkeypatch, env, plays_scripts=True) as service:
        assert (await ask(service, {})).code == failures.UNREACHED


async def test_the_stand_ins_refuse_calls_without_results(
    service: Service, standins: StandIns
) -> None:
    """A contract is only as good as what it is held against."""
    words = json.dumps([{"tools": [["show_lists", {}]]}, {"say": "Never said."}])
    called = await service.ask(words, tools=TOOLS)
    assert called.answer is not None
    asked: list[BaseMessage] = [SystemMessage("."), HumanMessage(words), called.answer]
    failed = await service.ask([*asked, HumanMessage("And?")], tools=TOOLS)
    assert failed.code == failures.REFUSED
    why = standins.visits[-1].why
    assert any(said in why for said in ("tool_result", "tool_call_id", "function response"))
