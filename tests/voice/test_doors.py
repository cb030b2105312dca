"""Who may open a socket, tried without the right."""

from __future__ import annotations

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.stack import Stack
from tests.voice.client import call, closing, say, socket, ticket, until

pytestmark = pytest.mark.service


@pytest.mark.parametrize("bad", ["", "nonsense", "WzEsICJhYmMiXQ:1abc:forged"])
async def test_no_call_without_a_ticket(stack: Stack, bad: str) -> None:
    async with socket(stack, bad) as opened:
        code, text = await closing(opened)
    assert code == 4401
    assert "ticket" in text


async def test_a_ticket_opens_one_socket(stack: Stack) -> None:
    once = ticket(stack)
    async with socket(stack, once) as opened:
        await say(opened, "start")
        await until(opened, "ready")
    async with socket(stack, once) as again:
        assert (await closing(again))[0] == 4401


async def test_a_foreign_page_may_not_call(stack: Stack) -> None:
    async with socket(stack, ticket(stack), origin="https://evil.example") as opened:
        assert (await closing(opened))[0] == 4403


async def test_a_page_may_only_use_its_own_users_ticket(stack: Stack) -> None:
    stack.make_user("mallory")
    cookie = {"Cookie": f"sessionid={stack.session_cookie('mallory')}"}
    async with socket(
        stack, ticket(stack, "demo"), origin=stack.url, additional_headers=cookie
    ) as opened:
        assert (await closing(opened))[0] == 4403


async def test_the_page_socket_wants_a_login(stack: Stack) -> None:
    async with connect(f"{stack.ws_url}/ws/page", proxy=None, origin=stack.url) as opened:  # type: ignore[arg-type]
        assert (await closing(opened))[0] == 4401


async def test_an_unknown_socket_is_refused(stack: Stack) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(f"{stack.ws_url}/ws/other", proxy=None):
            pass


async def test_one_person_cannot_take_all_lines(stack: Stack) -> None:
    stack.make_user("greedy")
    opened = []
    try:
        for _ in range(8):
            context = call(stack, "greedy")
            opened.append(context)
            await context.__aenter__()
        async with socket(stack, ticket(stack, "greedy")) as ninth:
            code, text = await closing(ninth)
        assert code == 4409
        assert text
    finally:
        for context in opened:
            await context.__aexit__(None, None, None)
