"""What each adapter sends and reads, without a network; `tests/providers` has the whole formats."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from importlib import import_module
from typing import Any

import httpx
import httpx2
import pytest
from django.test import override_settings
from langchain_core.exceptions import ModelAPIError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from mcp.types import Tool

from tests.stack import ROOT
from tests.workers.language.fakes import Turn, spoken
from workers.agent_loop import as_langchain
from workers.language import compatible, environment, openai
from workers.language.asking import Asking
from workers.language.models import load
from workers.speech import http

KEYS = {
    "ANTHROPIC_API_KEY": "key-a",
    "GOOGLE_API_KEY": "key-g",
    "OPENAI_API_KEY": "key-o",
    "COMPATIBLE_URL": "http://127.0.0.1:9/v1/",
}
NAMES = ["anthropic", "google", "openai", "compatible"]
LIBRARY: dict[str, Any] = {"google": httpx}
SCHEMA = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": {"type": "object", "properties": {}}}},
}
TOOL = as_langchain(Tool(name="rehearse", inputSchema=SCHEMA))

FIRST_USE = """
import asyncio, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import convonet.celery
convonet.celery.app.loader.import_default_modules()
from workers import preload, rehearsal, wiring
preload.load(["agent"])
import socket
opened = []
real = socket.socket.connect
socket.socket.connect = lambda *a: opened.append(a) or real(*a)
import threading
assert threading.active_count() == 1, threading.enumerate()
before = set(sys.modules)
for member in wiring.language_models().members:
    rehearsal.rehearse_module(member.load())
assert not opened, opened
print(*sorted(set(sys.modules) - before))
"""


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("ANTHROPIC_", "GOOGLE_", "OPENAI_", "COMPATIBLE_")):
            monkeypatch.delenv(name)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def rehearsed(name: str) -> Any:
    return import_module(f"workers.language.{name}").rehearsal()


async def request_of(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The HTTP request that a question becomes."""
    library: Any = LIBRARY.get(name, httpx2)
    module = import_module(f"workers.language.{name}")
    sent: list[Any] = []

    def refuse(request: Any) -> Any:
        sent.append(request)
        return library.Response(500, json={"error": {"code": 500, "message": "", "status": ""}})

    model = module.make(library.MockTransport(refuse))
    with pytest.raises(ModelAPIError):
        await model.ainvoke([SystemMessage("Be brief."), HumanMessage("Hello.")])
    await module.close(model)
    assert len(sent) == 1, "the SDK must not try again by itself"
    return sent[0]


@pytest.mark.parametrize("name", NAMES)
async def test_an_answer_is_read_with_its_words_calls_tokens_and_end(name: str) -> None:
    (member,) = load([name], prefer_local=False).members
    member._make = lambda: rehearsed(name)
    turn = Turn()
    answer = await Asking(turn.context, member, "server").run(
        spoken(), [TOOL], seconds=30.0, first_seconds=30.0
    )
    assert isinstance(answer, AIMessage), answer
    assert answer.text == turn.said == "Done."
    assert [call["name"] for call in answer.tool_calls] == ["rehearse"]
    (use,) = turn.uses
    assert use.provider == name
    assert use.model
    assert use.tokens_in == 1
    assert use.tokens_out in (1, 2)
    await member.close()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("anthropic", "https://api.anthropic.com/v1/messages"),
        ("openai", "https://api.openai.com/v1/chat/completions"),
        ("compatible", "http://127.0.0.1:9/v1/chat/completions"),
    ],
)
async def test_the_question_goes_to_the_providers_address(
    name: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = await request_of(name, monkeypatch)
    assert str(request.url) == url
    assert json.loads(request.content)["stream"] is True


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("anthropic", "/v1/messages"),
        ("openai", "/chat/completions"),
        ("compatible", "/chat/completions"),
        ("google", "/v1beta/models/own-model:streamGenerateContent"),
    ],
)
async def test_address_and_model_come_from_the_environment(
    name: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{name.upper()}_URL", "http://127.0.0.1:9/proxy/")
    monkeypatch.setenv(f"{name.upper()}_MODEL", "own-model")
    request = await request_of(name, monkeypatch)
    assert str(request.url).partition("?")[0] == f"http://127.0.0.1:9/proxy{path}"
    assert json.loads(request.content).get("model", "own-model") == "own-model"


@pytest.mark.parametrize(
    ("name", "key"), [("anthropic", "key-a"), ("google", "key-g"), ("openai", "key-o")]
)
async def test_each_provider_gets_its_own_key(
    name: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = str((await request_of(name, monkeypatch)).headers.raw)
    assert key in sent
    assert not any(other in sent for other in {"key-a", "key-g", "key-o"} - {key})


async def test_a_server_of_ones_own_never_sees_the_key_of_openai(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "key-o" not in str((await request_of("compatible", monkeypatch)).headers.raw)
    monkeypatch.setenv("COMPATIBLE_API_KEY", "key-c")
    assert "key-c" in str((await request_of("compatible", monkeypatch)).headers.raw)


async def test_openais_sdk_does_not_go_through_the_tools_by_their_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("that takes longer than everything else about a question")

    monkeypatch.setattr(
        "openai.resources.chat.completions.completions.async_maybe_transform", refuse
    )
    model = openai.rehearsal().bind_tools([TOOL])
    assert [chunk.text async for chunk in model.astream("Hello.") if chunk.text] == ["Done."]


@override_settings(MODEL_DEADLINE_SECONDS=4.0)
@pytest.mark.parametrize("name", NAMES)
async def test_no_request_waits_longer_than_an_answer_may_take(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = (await request_of(name, monkeypatch)).extensions["timeout"]
    assert limits["read"] == 4.0
    assert limits["connect"] <= 4.0


def loaded(names: str) -> set[str]:
    env = os.environ | KEYS | {"LANGUAGE_MODEL": names}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_USE],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.service
def test_a_childs_first_question_imports_nothing_more() -> None:
    assert loaded("anthropic,google,openai,compatible") == set()


def test_certificates_are_read_once_for_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    clients = [
        client
        for module in (openai, compatible)
        for model in (module.make(), module.make())
        for client in (model.root_async_client, model.root_client)
    ]
    trusted = {id(client._client._transport._pool._ssl_context) for client in clients}
    assert trusted == {id(environment.trusted())}
    assert id(http.client()._transport._pool._ssl_context) == id(http.trusted())  # type: ignore[attr-defined]


async def test_of_a_bursts_connections_a_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-o")
    many, opened, open_now = 3 * environment.KEPT_CONNECTIONS, 0, 0
    all_asked = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened, open_now
        opened, open_now = opened + 1, open_now + 1
        if opened == many:
            all_asked.set()
        try:
            await reader.readuntil(b"\r\n\r\n")
            await all_asked.wait()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            await reader.read()
        finally:
            open_now -= 1
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        model = openai.make()
        client = model.root_async_client._client
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with asyncio.timeout(60):
            await asyncio.gather(*(client.get(address) for _ in range(many)))
            while open_now > environment.KEPT_CONNECTIONS:  # noqa: ASYNC110  # as the server sees
                await asyncio.sleep(0)
        assert opened == many
        await openai.close(model)
