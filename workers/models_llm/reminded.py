"""What is said to a reminder that was told just now: done with it, or once more later.

"Done" and "in ten minutes" mean that only then; "snooze" and "remind me again" always do, and the
tool knows whether there was one.
"""

from __future__ import annotations

import re

from todo import dates
from workers.models_llm import hearing, replies
from workers.models_llm.dialogue import Dialogue
from workers.models_llm.plans import Plan, one

_BEFORE = (
    r"(?:(?:okay|ok|yes|yeah|yep|no|right|sure|well|oh|so|great|alright|all right|thanks|thank you|"
    r"please|not now|not yet|maybe|just) )*"
)
_AFTER = r"(?: (?:already|now|thanks|thank you|today|just now|please|then))*"
_IT = r"(?:it|that|this|that one|this one|the reminder|that reminder|this reminder)"
_DONE = re.compile(
    rf"{_BEFORE}(?:"
    rf"(?:(?:{_IT}|it's|that's|all|is|has been|was|already|now) )*"
    rf"(?:done|finished|completed|taken care of)(?: with {_IT})?"
    rf"|(?:i|we|i've|we've) (?:(?:have|already|just) )*(?:did|done|finished|completed)(?: {_IT})?"
    rf"|(?:mark|set) {_IT} (?:as |is )?(?:done|complete|completed|finished)"
    rf"|(?:tick|check|cross|strike) {_IT} off|(?:tick|check|cross|strike) off {_IT}"
    rf"|(?:complete|finish) {_IT}){_AFTER}",
    re.IGNORECASE,
)
# "I'm done" ends an ordinary call.
_OVER = re.compile(
    rf"{_BEFORE}(?:(?:i am|i'm|we are|we're) )?(?:already )?(?:done|finished)(?: with {_IT})?"
    rf"{_AFTER}(?: (?:bye|goodbye|good bye|bye bye))*",
    re.IGNORECASE,
)
_SNOOZE = re.compile(rf"{_BEFORE}snooze\b(?: {_IT})?", re.IGNORECASE)
# What a recogniser makes of "snooze" on the telephone.
_MISHEARD = re.compile(
    rf"^({_BEFORE})(?:smooth|new|news|snows|sneeze)(?= {_IT}| for | until | till |$)",
    re.IGNORECASE,
)
_AGAIN = re.compile(rf"{_BEFORE}remind me(?: (?:of|about) {_IT})? again", re.IGNORECASE)
_LATER = re.compile(
    rf"{_BEFORE}(?:(?:snooze|postpone|delay|move|push|shift|defer|put)(?: {_IT})?(?: (?:off|back))?"
    rf"|(?:remind|tell|ask|call|ring|phone|nudge) me(?: (?:of|about) {_IT})?"
    r"(?: (?:again|back|later|once more))*|again|later|not now|not yet|give me|wait)",
    re.IGNORECASE,
)
# Said alone they ask for silence, or for the answer once more.
_MORE = re.compile(rf"{_BEFORE}(?:again|wait|give me|call me|ring me|phone me)", re.IGNORECASE)
_LEAD = re.compile(r"^(?:(?:for|by|until|till|to|another|later|again) )+", re.IGNORECASE)
_TAIL = re.compile(r"(?: (?:more|again|later|please|from now|then|thanks|thank you))+$", re.I)
_OF_CALLED = frozenset(["answer_reminder", "end_call"])
_ALSO = frozenset([replies.WHO])


def answer(text: str, dialogue: Dialogue) -> Plan | None:
    """None when the words are about something else."""
    bare = hearing.plain(hearing.without_courtesy(text)).strip().lower()
    if not dialogue.reminder:
        return _always(bare, dialogue)
    bare = _MISHEARD.sub(r"\1snooze", bare)
    if _DONE.fullmatch(bare) or (dialogue.called and _OVER.fullmatch(bare)):
        return one("answer_reminder", action="done")
    found = _LATER.match(bare)
    rest = bare[found.end() :] if found else bare
    if (when := _when(rest, dialogue)) or (found and not rest and not _MORE.fullmatch(bare)):
        return one("answer_reminder", action="snooze", until=when)
    return None


def within(plan: Plan, dialogue: Dialogue) -> Plan:
    """Whoever was called to be told a reminder can answer it and hang up, and is asked for that."""
    if not dialogue.called or plan.say in _ALSO or plan.say.startswith(replies.TELLS_CLOCK):
        return plan
    fits = plan.calls and all(call.tool in _OF_CALLED for call in plan.calls)
    return plan if fits else Plan(say=replies.DONE_OR_AGAIN)


def _always(bare: str, dialogue: Dialogue) -> Plan | None:
    found = _SNOOZE.match(bare) or _AGAIN.match(bare)
    if found is None:
        return None
    rest = bare[found.end() :]
    # "Snooze it till friday" moves a todo that was spoken of.
    if _SNOOZE.match(bare) and re.match(r" (?:until|till|to)\b", rest) and " " in found[0]:
        return None
    when = _when(rest, dialogue)
    return one("answer_reminder", action="snooze", until=when) if when or not rest else None


def _when(words: str, dialogue: Dialogue) -> str:
    """How long or until when, as a date phrase; empty when it is something else."""
    words = _TAIL.sub("", " " + _LEAD.sub("", f"{words.strip()} ").strip()).strip()
    words = re.sub(r"\bmore (?=minutes?\b|hours?\b)", "", words)
    forms = (words, f"in {words}") if words else ()
    return next((form for form in forms if dates.is_date(form, dialogue.now)), "")
