"""What a caller is told when a turn could not be finished: what was done, and what was not."""

from __future__ import annotations

from collections.abc import Sequence

from workers.steps import ToolEnded

_WHY = {
    "deadline": "That took too long.",
    "too_many_steps": "That needed more steps than I can take at once.",
    "tool_unreached": "I could not reach the todo service.",
    "model": "The language service did not work.",
    "model_auth": "The language service did not let me in.",
    "model_rate": "The language service takes no more questions at the moment.",
    "model_server": "The language service had a failure.",
    "model_timeout": "The language service took too long to answer.",
    "model_unreached": "I could not reach the language service.",
    "model_half": "The language service broke off in the middle of its answer.",
    "model_garbage": "The language service gave no answer that makes sense.",
    "model_missing": "The language service does not know the model I was told to ask.",
    "model_refused": "The language service declined to answer that.",
    "memory": "That was too much for me at once.",
    "attempts": "Something went wrong several times.",
}


def apology(code: str, tools: Sequence[ToolEnded], *, known: bool = True) -> str:
    """One or two true sentences. `known` is False when what the turn did was not recorded."""
    why = _WHY.get(code, "Something went wrong on my side.")
    done = [tool for tool in tools if tool.ok and _changed(tool)]
    if done:
        said = " ".join(str(tool.result.get("said", "")).strip() or tool.name for tool in done)
        uncertain = _uncertain(tools) or not known
        rest = "The rest is uncertain." if uncertain else "Nothing else was changed."
        return f"{why} This much was done: {said} {rest}"
    if _uncertain(tools) or not known:
        return f"{why} I am not sure whether it was done; please ask me to check."
    return f"{why} Nothing was changed. Please try again."


def _changed(tool: ToolEnded) -> bool:
    return bool(tool.result.get("summary")) or tool.result.get("change") is not None


def _uncertain(tools: Sequence[ToolEnded]) -> bool:
    return any(tool.ok is None for tool in tools)
