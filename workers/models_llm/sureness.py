"""Whether the grammar understood a sentence for certain, so that no other model need be asked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.models_llm import hearing, planning, replies
from workers.models_llm.dialogue import Dialogue, ToolUse
from workers.models_llm.plans import Plan

# Said while thinking, or with more in mind than a command: "add milk, no wait, make that oat milk".
_WAVERING = re.compile(
    r"\b(?:wait|actually|i mean|scratch that|never ?mind|or (?:maybe|rather)|make that|hmm+|"
    r"except|unless|depending|whichever|whatever|everyone|if (?:i|it|the|there|you)|"
    r"(?:because|since|so that) (?:i|it|we|my)|the (?:former|latter))\b|\?.+\?",
    re.IGNORECASE,
)
# The grammar takes all that follows "add" for the todo; nobody names one at such length.
MOST_WORDS = 12
_CERTAIN = frozenset(
    (
        replies.LEFT_ALONE,
        replies.THANKS,
        replies.STOPPED,
        replies.GREETING,
        replies.HERE,
        replies.WHO,
        replies.HELP,
    )
)
_AND = re.compile(r"\band\b", re.IGNORECASE)
# Tools that must find what was named before they change it.
_NAMING = frozenset(
    ("change_todo", "complete_todos", "delete_todos", "reopen_todo", "cancel_reminders")
)


def is_sure(talk: Dialogue, tool_names: Sequence[str]) -> bool:
    """It acts or answers; a guess, a question back and a "cannot" are for a model to better."""
    text = hearing.tidy(talk.current.said)
    if not text or _WAVERING.search(text) or _is_stuck(talk):
        return False
    plan = planning.plan(talk)
    if not plan.calls:
        return plan.say in _CERTAIN or plan.say.startswith(replies.TELLS_CLOCK)
    known = all(call.tool in tool_names for call in plan.calls)
    return known and not plan.guess and not _is_long(plan) and not _names_two(plan)


def _is_stuck(talk: Dialogue) -> bool:
    """What was surely said was not found, or not surely: a model may know what is meant."""
    return any(
        use.name in _NAMING and (use.status in ("nothing", "refused") or _is_unsure(use))
        for use in talk.current.tools
    )


def _is_unsure(use: ToolUse) -> bool:
    return use.status == "ask" and str(use.result.get("said", "")).startswith("Did you mean")


def _names_two(plan: Plan) -> bool:
    """ "water filter and cat food" may be one todo or two, and "the fence and I called" is none."""
    for call in plan.calls:
        items = call.arguments.get("items")
        named = [call.arguments.get("which")] if "which" in call.arguments else []
        if isinstance(items, list):
            named += [item["title"] for item in items if "list" in item or len(items) > 1]
        if any(_AND.search(str(name)) for name in named):
            return True
    return False


def _is_long(plan: Plan) -> bool:
    said = [value for call in plan.calls for value in _texts(call.arguments)]
    return any(len(value.split()) > MOST_WORDS for value in said)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value
    return [text for one in inner for text in _texts(one)] if isinstance(inner, list) else []
