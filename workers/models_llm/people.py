"""Callers who ask for a person: "connect me with sales", "can I speak to Anna, about the bill".

Only where they ask it for themselves and now: "remind me to speak to Anna" and "add a todo to call
my travel agent" are todos, and so is "I have to talk to Anna tomorrow".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from todo import dates
from workers.models_llm import hearing, replies
from workers.models_llm.dialogue import Dialogue, ToolUse
from workers.models_llm.plans import Call, Plan

TOOL = "transfer_to_person"
_BEFORE = (
    r"(?:(?:hello|hi|hey|okay|ok|yes|no|well|so|oh|please|thanks|thank you|sorry|then|now|just|"
    r"actually|and|but|good (?:morning|afternoon|evening|day))[,.]? )*"
)
_COULD = r"(?:can|could|would|will|may|might) (?:you|i|we)(?: please| just| maybe)*"
_WISH = (
    r"(?:i|we)(?:'d| would)? (?:really |just |rather )?(?:want|wish|like|love|prefer)(?: you)? to"
)
_NEED = r"(?:i|we)(?:'ve)? (?:really |just )?(?:need|have|got)(?: you)? to"
_TALK = r"(?:speak|talk|chat|be (?:connected|transferred|put through))(?: directly)?"
_TO = r"(?:to|with|through to|on to|over to)"
_ABOUT = (
    r"(?: (?:about|regarding|concerning|because of|because|on account of|it's about|it is about)"
    r" (?P<reason>.+))?"
)
# Somebody whose name does not matter.
_ANYBODY = (
    r"(?:(?:a|an|the|some|another|your|any) )?(?:(?:real|live|actual|human|other|customer) )*"
    r"(?:person|people|human|human being|somebody|someone|anybody|anyone|operator|agent|"
    r"representative|receptionist|colleague|employee|staff|support|service|team|man|woman)"
    r"(?: (?:else|real|there|here|human|in charge|who can help(?: me)?|instead))*"
)
_WHO = r"(?P<who>[\w'&+-]+(?: [\w'&+-]+){0,5}?)"
_END = r"(?: (?:please|now|right now|thanks|thank you|for me|directly|immediately|then|today))*"
_CONNECT = (
    r"(?:connect|transfer|forward|switch|redirect|pass|hand) (?:me|us)(?: (?:over|on|through))?"
    r"|put (?:me|us) (?:through|on|over)|patch (?:me|us)(?: through)?"
)


def _whole(*sentences: str) -> list[re.Pattern[str]]:
    return [re.compile(f"{_BEFORE}(?:{one}){_END}", re.IGNORECASE) for one in sentences]


_NAMED = _whole(
    rf"(?:{_COULD} |{_WISH} have you |{_WISH} )?(?:{_CONNECT}) {_TO} {_WHO}{_ABOUT}",
    rf"(?:{_COULD}|{_WISH}|let (?:me|us)) {_TALK} {_TO} {_WHO}{_ABOUT}",
    rf"{_NEED} {_TALK} {_TO} (?P<who>{_ANYBODY}(?: (?:in|from|at) [\w' -]+?)?){_ABOUT}",
    r"is (?P<who>[\w']+(?: [\w']+)?) (?:there|in|around|available) to (?:talk|speak)(?: to)?",
)
_SOMEBODY = _whole(
    rf"(?:{_COULD} |{_WISH} )?(?:{_CONNECT}){_ABOUT}",
    rf"(?:{_COULD} |{_WISH} |{_NEED} |let me )?{_TALK} {_TO} {_ANYBODY}{_ABOUT}",
    rf"(?:{_COULD} )?(?:get|give) me {_ANYBODY}{_ABOUT}",
    rf"(?:i|we)(?:'d| would)? (?:want|need|like|prefer) {_ANYBODY}{_ABOUT}",
    rf"is (?:there )?(?:anybody|anyone|somebody|someone|a person|a human)(?: else)?"
    rf"(?: (?:there|here))?(?: (?:that|who|whom))?(?: i can| to) {_TALK}(?: {_TO})?{_ABOUT}",
    r"(?:a |an |the )?(?:real |live |human )*(?:operator|representative|receptionist|human being|"
    r"real person|human|human agent)",
)
# Whom nobody is connected with.
_NOT_THEM = frozenset(["you", "me", "myself", "it", "that", "this", "them", "him", "her"])
_NO = re.compile(
    r"(?:no|nope|nobody|no ?one|none|never ?mind|forget it|neither|leave it|not now)\b.*", re.I
)
_YES = re.compile(
    r"(?:yes|yeah|yep|right|correct|exactly|sure|okay|ok|that one|that's right)\b.*", re.I
)
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_PLACE = re.compile(rf"(?:the )?({'|'.join(_PLACES)})(?: one)?", re.IGNORECASE)
_AROUND = re.compile(
    r"^(?:(?:with|to|i mean|i'd like|i want|i would like|the one in) )+", re.IGNORECASE
)
_COURTESY = re.compile(
    r"(?:(?:okay|ok|yes|yeah|thanks|thank you|very much|so much|great|perfect|good|fine|please|"
    r"all right|alright|sure|cool)(?: |$))+",
    re.IGNORECASE,
)
MOST_WORDS = 6


def request(text: str, dialogue: Dialogue) -> Plan | None:
    """A wish to be connected; None for anything else."""
    text = hearing.plain(text)
    for pattern in _NAMED:
        found = pattern.fullmatch(text)
        if found is not None and _is_somebody(found["who"], dialogue):
            return _connect(found["who"], found.groupdict().get("reason"))
    for pattern in _SOMEBODY:
        if (found := pattern.fullmatch(text)) is not None:
            return _connect("", found.groupdict().get("reason"))
    return None


def answer(text: str, dialogue: Dialogue, is_command: Callable[[], bool]) -> Plan | None:
    """With whom, after that was asked; or a word of thanks while one waits to be connected."""
    before = dialogue.previous
    use = (
        next((one for one in reversed(before.tools) if one.name == TOOL), None) if before else None
    )
    if use is None:
        return None
    bare = hearing.plain(text)
    if use.status == "ok" and "outcome" not in use.result and _COURTESY.fullmatch(bare):
        return Plan(say=replies.CONNECTING)
    return _chosen(bare, use, is_command) if use.status == "ask" else None


def _chosen(bare: str, use: ToolUse, is_command: Callable[[], bool]) -> Plan | None:
    choices = [str(one) for one in use.result.get("choices") or []]
    if _NO.fullmatch(bare):
        return Plan(say=replies.LEFT_ALONE)
    reason = str(use.arguments.get("reason", ""))
    if _YES.fullmatch(bare) and len(choices) == 1:
        return _connect(choices[0], reason)
    if place := _PLACE.fullmatch(bare):
        number = _PLACES[place[1].lower()]
        return _connect(choices[number], reason) if number < len(choices) else None
    if is_command() or len(bare.split()) > MOST_WORDS:
        return None
    return _connect(_AROUND.sub("", bare), reason)


def _connect(who: str, reason: str | None) -> Plan:
    whom = {"department": who} if who else {}
    return Plan([Call(TOOL, {**whom, "reason": (reason or "").strip(" .,")})])


def _is_somebody(who: str, dialogue: Dialogue) -> bool:
    """No pronoun, and no day: "I want to talk to Anna tomorrow" is something to remember."""
    if who.lower() in _NOT_THEM or who.split()[0].lower() in _NOT_THEM:
        return False
    rest, phrase = dates.cut(who, dialogue.now)
    return not (phrase and rest)
