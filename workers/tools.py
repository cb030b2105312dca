"""The client of the todo MCP server: one held session, reconnected by the one task that owns it.

anyio's cancel scopes belong to the task that opened them, so `_own` alone opens and closes a
session; calls from other tasks only use it. The SDK may wait for ever when the server dies during
a call, so every call here races the session's end and a time limit of our own.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import anyio
import httpx
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import McpError
from mcp.types import CONNECTION_CLOSED, CallToolResult, Tool

from workers.errors import ToolError

logger = logging.getLogger("workers.tools")

OPEN_SECONDS = 5.0
FIRST_DELAY_SECONDS = 0.05
MOST_DELAY_SECONDS = 1.0
# The first try and two repeats under the same key.
MOST_TRIES = 3
PING_SECONDS = 1.0
# The SDK's own codes for a closed session and for one that a restarted server does not know.
_LOST_CODES = frozenset({CONNECTION_CLOSED, 32600})


class _Lost(Exception):
    """The session ended while a call was under way."""


class _Slow(Exception):
    """A call was not answered in time; other turns may use the session for theirs."""


@dataclass(slots=True)
class _Link:
    """One open session; `lost` is set when it is of no more use, `ended` when it is closed."""

    session: ClientSession
    tools: list[Tool]
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    refused: bool = False
    """It ended because nobody listened: the last call was surely not received."""


class TodoServer:
    """All methods run on the loop that `open` was called on."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        try_seconds: float = 4.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` answers instead of the network."""
        self._transport = transport
        self._url = url
        self._token = token
        self._try_seconds = try_seconds
        self._link: _Link | None = None
        self._lost = False
        self._changed = asyncio.Condition()
        self._owner: asyncio.Task[None] | None = None
        # Each ends within `PING_SECONDS`.
        self._doubts: set[asyncio.Future[None]] = set()

    def open(self) -> None:
        """Begin to connect, in the background, and keep connected."""
        if self._owner is None:
            self._owner = asyncio.get_running_loop().create_task(self._own(), name="mcp session")

    async def close(self) -> None:
        if self._owner is not None:
            self._owner.cancel()
            with suppress(asyncio.CancelledError):
                await self._owner
            self._owner = None

    async def tools(self, deadline: float) -> list[Tool]:
        """The server's tools, read once per session; raises ToolError at `deadline` (monotonic)."""
        return (await self._linked(deadline)).tools

    async def call(
        self, name: str, arguments: dict[str, Any], *, context: str, key: str, deadline: float
    ) -> dict[str, Any]:
        """The tool's answer, from one effect at most, however often the call had to be repeated.

        Raises ToolError with code `tool_unreached` (surely nothing happened), `tool_refused`
        (the server did not accept the call) or `tool_unknown` (no answer: it may have happened).
        """
        meta = {"convonet": context, "convonet_key": key}
        sent = False
        for attempt in range(MOST_TRIES):
            try:
                link = await self._linked(deadline)
            except ToolError:
                if sent:
                    break
                raise
            seconds = min(self._try_seconds, deadline - monotonic())
            if seconds <= 0:
                break
            try:
                return _answer(await _race(link, name, arguments, meta, seconds))
            except _Slow:
                sent = True
                await self._doubt(link, deadline)
                logger.warning("tool call slow", extra={"tool": name, "attempt": attempt + 1})
            except _Lost:
                sent = not await _surely_unsent(link) or sent
                logger.warning("tool call lost", extra={"tool": name, "attempt": attempt + 1})
        if sent:
            raise ToolError("The todo service did not answer.", code="tool_unknown")
        raise _unreached()

    async def _doubt(self, link: _Link, deadline: float) -> None:
        """Give the session up if nothing is answered on it, waiting until `deadline` at most."""
        looking = asyncio.ensure_future(_give_up_if_silent(link))
        self._doubts.add(looking)
        looking.add_done_callback(self._doubts.discard)
        await asyncio.wait({looking}, timeout=max(0.0, deadline - monotonic()))

    async def _linked(self, deadline: float) -> _Link:
        try:
            async with asyncio.timeout(max(0.0, deadline - monotonic())), self._changed:
                await self._changed.wait_for(self._usable)
        except TimeoutError:
            raise _unreached() from None
        assert self._link is not None
        return self._link

    def _usable(self) -> bool:
        return self._link is not None and not self._link.lost.is_set()

    async def _own(self) -> None:
        delay = FIRST_DELAY_SECONDS
        link: _Link | None = None
        while True:
            try:
                async with self._session() as link:
                    await self._set(link)
                    delay = FIRST_DELAY_SECONDS
                    await link.lost.wait()
            except Exception as error:  # whatever ended it, the answer is to connect again
                cause = _root(error)
                if not self._lost:
                    logger.warning("tool server lost", extra={"error": type(cause).__name__})
                self._lost = True
                if link is not None:
                    link.refused = isinstance(cause, httpx.ConnectError)
            finally:
                if link is not None:
                    link.lost.set()
                    link.ended.set()
                link = None
                await self._set(None)
            await asyncio.sleep(delay)
            delay = min(delay * 2, MOST_DELAY_SECONDS)

    async def _set(self, link: _Link | None) -> None:
        async with self._changed:
            self._link = link
            self._changed.notify_all()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[_Link]:
        headers = {"Authorization": f"Bearer {self._token}"}
        # No time limit on reading: the event stream is silent for long, and calls have their own.
        timeout = httpx.Timeout(OPEN_SECONDS, read=None)
        secure = self._url.startswith("https:")
        async with (
            httpx.AsyncClient(
                headers=headers,
                timeout=timeout,
                trust_env=False,
                verify=secure,
                transport=self._transport,
            ) as client,
            streamable_http_client(self._url, http_client=client, terminate_on_close=False) as (
                read,
                write,
                _,
            ),
            ClientSession(read, write) as session,
        ):
            with anyio.fail_after(OPEN_SECONDS):
                await session.initialize()
                tools = (await session.list_tools()).tools
            if self._lost:
                logger.info("tool server is back", extra={"tools": len(tools)})
            self._lost = False
            yield _Link(session, tools)


def _unreached() -> ToolError:
    message = "The todo service could not be reached."
    return ToolError(message, code="tool_unreached", retryable=True)


async def _give_up_if_silent(link: _Link) -> None:
    """It may be one tool that takes long; a server that answers nothing serves nobody."""
    try:
        await asyncio.wait_for(link.session.send_ping(), PING_SECONDS)
    except Exception:  # however it fails, another session is the answer
        link.lost.set()


async def _surely_unsent(link: _Link) -> bool:
    """Give the session up and see what it died of."""
    link.lost.set()
    with suppress(TimeoutError):
        await asyncio.wait_for(link.ended.wait(), 1.0)
    return link.refused


async def _race(
    link: _Link, name: str, arguments: dict[str, Any], meta: dict[str, Any], seconds: float
) -> CallToolResult:
    """One try; raises _Lost when the session ended first, _Slow when `seconds` went by."""
    call = asyncio.ensure_future(link.session.call_tool(name, arguments, meta=meta))
    lost = asyncio.ensure_future(link.lost.wait())
    try:
        await asyncio.wait({call, lost}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not call.done() or call.cancelled():
            raise _Lost if lost.done() else _Slow
        return call.result()
    except McpError as error:
        if error.error.code in _LOST_CODES:
            raise _Lost from None
        raise ToolError("The tool was not accepted.", code="tool_refused") from error
    except (anyio.ClosedResourceError, anyio.BrokenResourceError):
        raise _Lost from None
    finally:
        for task in (call, lost):
            task.cancel()


def _answer(result: CallToolResult) -> dict[str, Any]:
    content = result.structuredContent or _parsed(_text(result))
    if result.isError or content is None or "status" not in content:
        said = _text(result)[:500] or "The tool failed without a reason."
        return {"status": "refused", "said": said, "summary": "", "change": None}
    return content


def _text(result: CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if part.type == "text")


def _parsed(text: str) -> dict[str, Any] | None:
    with suppress(ValueError):
        value = json.loads(text)
        if isinstance(value, dict):
            return value
    return None


def _root(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error
