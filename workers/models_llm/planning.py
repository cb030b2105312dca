"""From the conversation to what is to be done: one plan for all commands of a sentence."""

from __future__ import annotations

import re

from workers.models_llm import asides, corrections, hearing, people, reminded, replies
from workers.models_llm.commands import bare_item, counted_items, plan_of
from workers.models_llm.dialogue import Dialogue, ToolUse
from workers.models_llm.intents import Reading, readings
from workers.models_llm.plans import Call, Plan, one

# What a second command of a sentence may begin with. Deleting and completing need a clear object,
# or "add sort the photos and delete the old ones" would delete.
_DID = (
    "finished|completed|done|did|called|phoned|bought|paid|sent|wrote|booked|cleaned|fixed|renewed|"
    "picked up|ordered|watered|washed|painted|prepared|submitted|returned|collected|got|posted"
)
_SECOND = re.compile(
    r"(?:,? (?:and then|and also|then|and)|[,.;!?]) (?=(?:please )?(?:"
    r"add |put |remind me |set a reminder|create a |make a (?:new )?(?:list|todo)|"
    r"mark .* (?:as|is) (?:done|complete)|(?:call|wake) me |how many |"
    r"what(?:'s| is| do| are| did) |"
    r"who is |read me |read my |show me |tell me what|undo (?:that|it|the)|rename .* to |"
    r"(?:move|reschedule|postpone) .* (?:to|until|till|for) |assign .* to |tag .* (?:with|as) |"
    r"(?:delete|remove|cancel|complete|reopen) "
    r"(?:the .* (?:todo|task|item|one|reminder|list)\b|number \w+|it\b|that\b)|"
    r"(?:change|set|make) .* (?:priority|urgent)|"
    rf"(?:i (?:have )?(?:also |just |already )*)?(?:{_DID}) (?:the|my) |"
    r"(?:connect|transfer) me |put me through|"
    r"(?:bye|goodbye|good bye|hang up|that's all|that is all)$))",
    re.IGNORECASE,
)


_THAT_LIST = re.compile(
    r"^((?:please |now |and |then )*(?:add|put) .+) (?:to|on|onto|in|into) "
    r"(?:it|that|that list|this list|the new list|the new one)$",
    re.IGNORECASE,
)
# A misheard "stop, thank you, goodbye": short, and both its ends say that it is over.
_LEAVING = re.compile(
    r"^(?:stop|okay|ok|well|right|thanks?|all right)\b.{0,25}\b(?:good ?bye|bye)$", re.IGNORECASE
)


def plan(dialogue: Dialogue) -> Plan:
    """Never empty: without a call it has words to say."""
    return reminded.within(_any_plan(dialogue), dialogue)


def _any_plan(dialogue: Dialogue) -> Plan:
    text = _with_list(hearing.tidy(dialogue.current.said), dialogue.last_change)
    if not text:
        return Plan(say=replies.NOT_UNDERSTOOD)
    if pending := _pending(text, dialogue) or reminded.answer(text, dialogue):
        return pending
    if whom := people.answer(text, dialogue, lambda: _is_other_command(text, dialogue)):
        return whom
    about_it = hearing.tidy(asides.joined(dialogue.current.said, dialogue.now))
    joined = understand(about_it, dialogue) if about_it else None
    whole = joined.guessed() if joined else understand(text, dialogue)
    chosen = corrections.choice(hearing.plain(text), dialogue, whole is not None)
    if chosen is not None:
        return chosen
    parts = [] if joined else _clauses(text)
    if len(parts) > 1:
        plans = _each(parts, dialogue)
        if all(one is not None and one.say not in replies.ASKED_BACK for one in plans):
            return _joined([one for one in plans if one is not None])
    if whole is not None:
        return whole
    bare = hearing.plain(hearing.without_courtesy(text))
    if (said := replies.cannot(bare)) or (said := replies.cannot(text)):
        return Plan(say=said)
    if _LEAVING.search(bare):
        return one("end_call")
    listed = counted_items(dialogue.current.said, dialogue.now)
    likely = listed or bare_item(bare, dialogue.now)
    return likely.guessed() if likely else Plan(say=replies.NOT_UNDERSTOOD)


def understand(text: str, dialogue: Dialogue) -> Plan | None:
    """The plan for one command: the words as heard first, then without courtesy, then corrected."""
    if whom := people.request(text, dialogue):
        return whom
    bare = hearing.plain(hearing.without_courtesy(text))
    heard = list(dict.fromkeys([hearing.plain(text), bare]))
    corrected = [form for one in heard for form in hearing.corrected_openings(one)]
    for form in dict.fromkeys(heard + corrected):
        for reading in readings(form):
            found = _plan(_with_commas(reading, text), dialogue)
            if found is not None:
                sure = form in heard and reading.intent not in _LIKELY
                return found if sure else found.guessed()
    return None


def _each(parts: list[str], dialogue: Dialogue) -> list[Plan | None]:
    """A later part may leave out who did it, or which list: "... and bought the paint"."""
    plans: list[Plan | None] = []
    for part in parts:
        before = plans[-1].calls[-1] if plans and plans[-1] and plans[-1].calls else None
        text = _with_list(part, before)
        done = before is not None and before.tool == "complete_todos"
        plans.append(
            understand(text, dialogue) or (understand(f"I {text}", dialogue) if done else None)
        )
    return plans


def _with_list(text: str, before: ToolUse | Call | None) -> str:
    """ "Add a tent to it": to the list that was just made."""
    tool = before.tool if isinstance(before, Call) else before.name if before else ""
    if before is None or tool != "create_list":
        return text
    return _THAT_LIST.sub(rf"\1 to the {before.arguments['name']} list", text)


# What most people mean by it, and some do not.
_LIKELY = frozenset(["appointed", "wanted", "needed", "add_before", "relist", "undated", "ring"])


def _with_commas(reading: Reading, text: str) -> Reading:
    """An enumeration is told from one thing by its commas, which no template has."""
    slot = {"add": "item", "put_on": "item", "correct": "new"}.get(reading.intent, "")
    if not slot:
        return reading
    written = hearing.as_written(str(reading.slots[slot]), text)
    return Reading(reading.intent, {**reading.slots, "written": written}, reading.literal)


def _plan(reading: Reading, dialogue: Dialogue) -> Plan | None:
    answered = corrections.answer(reading, dialogue)
    return answered if answered is not None else plan_of(reading, dialogue.now)


def _clauses(text: str) -> list[str]:
    parts, start = [], 0
    for found in _SECOND.finditer(text):
        parts.append(text[start : found.start()])
        start = found.end()
    parts.append(text[start:])
    return [part.strip(" ,") for part in parts if part.strip(" ,")]


def _joined(plans: list[Plan]) -> Plan:
    acting = [one for one in plans if one.calls]
    if not acting:
        return plans[-1]
    calls = [call for one in acting for call in one.calls if call.tool not in _LAST]
    calls += [call for one in acting for call in one.calls if call.tool in _LAST][:1]
    said = [one.say for one in plans if one.say and (one.calls or one.say not in _COURTESIES)]
    return Plan(calls, " ".join(dict.fromkeys(said)), any(one.guess for one in plans))


# What is done when all else is, for nothing can be said after it.
_LAST = frozenset(["end_call", people.TOOL])
_COURTESIES = frozenset(
    [replies.THANKS, replies.GREETING, replies.HERE, replies.STOPPED, replies.LEFT_ALONE]
)


def _pending(text: str, dialogue: Dialogue) -> Plan | None:
    """The missing half of a command that this model itself asked for in the turn before."""
    before = dialogue.previous
    if before is None or before.tools:
        return None
    half = hearing.plain(hearing.without_courtesy(hearing.tidy(before.said)))
    whole = {
        replies.REMIND_WHEN: f"{half} {text}",
        replies.REMIND_WHAT: f"{half} to {re.sub('^to ', '', text)}",
        replies.MOVE_WHEN: f"{half} to {re.sub('^(?:to|until) ', '', text)}",
        replies.ADD_WHAT: f"add {re.sub('^(?:add|to) ', '', text)}",
        replies.LIST_NAME: f"create a list called {text}",
        replies.NOTE_WHAT: f"{half} todo {text}",
    }.get(before.reply)
    if whole is None or _is_other_command(text, dialogue):
        return None
    found = understand(whole, dialogue)
    return found if found is not None and found.calls else None


def _is_other_command(text: str, dialogue: Dialogue) -> bool:
    found = understand(text, dialogue)
    return found is not None and bool(found.calls)


def batches(calls: list[Call]) -> list[list[Call]]:
    """Calls that may run side by side; one that speaks of the call before it waits for it."""
    grouped: list[list[Call]] = []
    for call in calls:
        waits = (
            call.arguments.get("which") == "last"
            or call.tool == "undo_last_change"
            or call.tool in _LAST
        )
        after_undo = grouped and grouped[-1][-1].tool == "undo_last_change"
        if not grouped or waits or after_undo:
            grouped.append([])
        grouped[-1].append(call)
    return grouped
