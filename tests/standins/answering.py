"""The way of every question to a language stand-in: checked, looked up, answered well or badly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.standins.http import Reply, Request
from tests.standins.script import REFUSALS, Desk, Step, Visit

PAGE = b"<!DOCTYPE html><html><body><h1>Bad gateway</h1></body></html>"
NOISE = b"\x00\xff this is not what you asked for \xfe\n" * 20


class Refused(Exception):
    """The provider's own words for a request it does not take."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.status, self.body, self.headers = status, body, headers


@dataclass(frozen=True, slots=True)
class Asked:
    """What the script needs of a question."""

    words: str
    answered: int
    model: str
    streamed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Parts of one answer as they go over the wire, in order."""

    opening: bytes
    pieces: Sequence[bytes]
    ending: bytes
    whole: Any
    """The same for who did not ask for a stream."""
    headers: dict[str, str] = field(default_factory=dict)


class Dialect(Protocol):
    """One provider's wire format."""

    @property
    def name(self) -> str: ...

    @property
    def broken(self) -> bytes:
        """An event that is cut in the middle of its JSON."""

    def read(self, request: Request) -> Asked:
        """Raises Refused as the real one would."""

    def answer(self, request: Request, asked: Asked, step: Step) -> Answer: ...

    def refusal(self, kind: str, step: Step, model: str) -> Refused:
        """For each of REFUSALS."""

    def error_event(self) -> bytes:
        """What is sent in the middle of a stream that fails."""


async def attend(dialect: Dialect, desk: Desk, request: Request, reply: Reply) -> None:
    visit = Visit(dialect.name, "")
    desk.visits.append(visit)
    try:
        asked = dialect.read(request)
        visit.model = asked.model
        step = desk.step(dialect.name, asked.words, asked.answered)
        visit.why = step.fail
        if step.wait:
            await asyncio.sleep(step.wait)
        if step.fail in REFUSALS:
            raise dialect.refusal(step.fail, step, asked.model)
        await _play(dialect, request, asked, step, reply, visit)
        visit.outcome = step.fail or "answered"
    except Refused as refused:
        visit.outcome, visit.why = "refused", visit.why or str(refused)
        reply.json(refused.status, refused.body, refused.headers)
    except asyncio.CancelledError:
        visit.outcome = "left"
        raise


async def _play(
    dialect: Dialect, request: Request, asked: Asked, step: Step, reply: Reply, visit: Visit
) -> None:
    if step.fail == "silence":
        await asyncio.Event().wait()
    elif step.fail == "page":
        reply.whole(200, PAGE, "text/html; charset=utf-8")
    elif step.fail == "noise":
        reply.stream()
        reply.send(NOISE)
    elif step.fail == "broken":
        reply.stream()
        reply.send(dialect.broken)
    else:
        answer = dialect.answer(request, asked, step)
        if not asked.streamed:
            reply.json(200, answer.whole, answer.headers)
            return
        reply.stream(answer.headers)
        await _speak(answer, step, reply, visit)
        await _end(dialect, answer, step, reply)


async def _speak(answer: Answer, step: Step, reply: Reply, visit: Visit) -> None:
    pieces = answer.pieces
    if step.fail in ("half", "short", "stall", "error"):
        pieces = pieces[: len(pieces) // 2 or 1]
    if not step.delay:
        reply.send(answer.opening + b"".join(pieces))
        visit.sent = len(pieces)
        return
    reply.send(answer.opening)
    for piece in pieces:
        await asyncio.sleep(step.delay)
        reply.send(piece)
        visit.sent += 1


async def _end(dialect: Dialect, answer: Answer, step: Step, reply: Reply) -> None:
    if step.fail == "half":
        reply.break_off()
    elif step.fail == "stall":
        await asyncio.Event().wait()
    elif step.fail == "error":
        reply.send(dialect.error_event())
    elif step.fail != "short":
        reply.send(answer.ending)


def texts(content: Any) -> str:
    """The words of a message whose content is a string or a list of parts with `text`."""
    if isinstance(content, str):
        return content
    parts = [part.get("text", "") for part in content or () if isinstance(part, dict)]
    return "".join(part for part in parts if isinstance(part, str))
