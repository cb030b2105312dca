"""A turn as its page tells it: the words, the tools, what was heard, and where the time went."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice.models import ProviderUse, ToolCall, Turn
from voice.uses_told import ToldUse, tell_uses, whole_cost

SLOW_MS = 1000
STATE_COLOURS = {
    Turn.State.TRANSCRIBING: "info",
    Turn.State.WAITING: "info",
    Turn.State.THINKING: "info",
    Turn.State.SPEAKING: "info",
    Turn.State.DONE: "success",
    Turn.State.INTERRUPTED: "warning",
    Turn.State.FAILED: "danger",
}


@dataclass(frozen=True, slots=True)
class TimelineTool:
    name: str
    ok: bool | None
    said: str
    took_ms: int | None
    arguments: str
    result: str


@dataclass(frozen=True, slots=True)
class TimelineTurn:
    """`heard` and `unheard` together are the reply; `times` are bars of milliseconds."""

    turn: Turn
    colour: str
    heard: str
    unheard: str
    utterance: str
    link: str = ""
    open: bool = False
    tools: list[TimelineTool] = field(default_factory=list)
    times: list[dict[str, Any]] = field(default_factory=list)
    uses: list[ToldUse] = field(default_factory=list)
    cost: str = ""


def tell(
    turn: Turn,
    tools: Iterable[ToolCall],
    uses: Sequence[ProviderUse] = (),
    *,
    link: str = "",
    open: bool = False,
) -> TimelineTurn:
    heard, unheard = split_heard(turn)
    return TimelineTurn(
        turn=turn,
        colour=STATE_COLOURS[Turn.State(turn.state)],
        heard=heard,
        unheard=unheard,
        utterance=f"{turn.utterance_ms / 1000:.1f} s of speech",
        link=link,
        open=open,
        tools=[_tool(tool) for tool in tools],
        times=bars(turn),
        uses=tell_uses(uses),
        cost=whole_cost(uses),
    )


def split_heard(turn: Turn) -> tuple[str, str]:
    """The reply cut where the caller interrupted it; all of it is heard when nobody did."""
    if turn.state != Turn.State.INTERRUPTED:
        return turn.reply, ""
    heard = turn.heard.strip()
    if turn.reply.startswith(heard):
        return heard, turn.reply[len(heard) :].strip()
    return heard, turn.reply


def bars(turn: Turn) -> list[dict[str, Any]]:
    """Milliseconds since the caller stopped speaking, each as a share of the longest."""
    times = [
        ("transcript", turn.transcript_ms),
        ("first words", turn.first_token_ms),
        ("first sound", turn.first_audio_ms),
    ]
    known = [(label, ms) for label, ms in times if ms is not None]
    longest = max([SLOW_MS, *(ms for _, ms in known)])
    return [
        {"label": label, "ms": ms, "percent": round(100 * ms / longest), "slow": ms > SLOW_MS}
        for label, ms in known
    ]


def _tool(tool: ToolCall) -> TimelineTool:
    result = tool.result if isinstance(tool.result, dict) else {}
    return TimelineTool(
        name=tool.name,
        ok=tool.ok,
        said=str(result.get("said") or tool.summary),
        took_ms=tool.took_ms,
        arguments=_pretty(tool.arguments),
        result=_pretty(tool.result),
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if value not in (None, {}) else "–"
