"""A remark and then the command about it: "I called the plumber, you can tick that off".

The command's "it" is what the remark speaks of; it is put in the pronoun's place.
"""

from __future__ import annotations

import re
from datetime import datetime

from todo import dates

_BEFORE = re.compile(
    r"^(?:okay|ok|well|so|oh|right|alright|hey|yes|yeah|listen)[,.!]* ", re.IGNORECASE
)
_PARTS = re.compile(
    r"^(?P<remark>.+?)[,.;:!]+ +(?P<command>[^,.;:!]+(?: at \d[^,;!]*)?)[,.;:!?]*$", re.DOTALL
)
# As a whole word where an object stands, and not in "that the ..." or "make it to".
_PRONOUN = re.compile(r"\b(?:that one|this one|it|that|them|those|this)\b(?= |$)", re.IGNORECASE)
_TAKES_IT = re.compile(
    r"^(?:(?:so|and|then|but|please|just|maybe|you can|you could|you may|could you|can you|"
    r"would you|go ahead and|let's|i want to|i'd like to|i would like to) )*"
    r"(?:tick|check|cross|strike|mark|delete|remove|cancel|drop|scrap|move|postpone|push|put|make|"
    r"set|change|take|reopen|reschedule|give|assign|tag|rename|shift|bring|get rid of|throw)\b",
    re.IGNORECASE,
)
_ADDS_IT = re.compile(
    r"(?:(?:so|and|please|can you|could you|just|you can) )*"
    r"(?:add|note|put|write|save|remember|pop|stick) (?:it|that|this)"
    r"(?: down| in| (?:on|to) (?:my|the) (?:todo )?list| there)?(?: please| for me| then)*",
    re.IGNORECASE,
)
_IT_IS = re.compile(
    r"^(?:\w+ )?(?P<name>(?:the|my|our) .+?) (?:is|isn't|are|aren't|was|wasn't|has|hasn't|have|"
    r"haven't|doesn't|does|don't|can|can't|cannot|will|won't|got|needs?|should|must|just)\b",
    re.IGNORECASE,
)
_I_DID = re.compile(r"^(?:\w+ )?(?:i|we)\b.*?\b(?P<name>(?:the|my|our) .+)$", re.IGNORECASE)
_TAIL = re.compile(
    r" (?:any ?more|any longer|yet|already|today|now|after all|myself|ourselves|at all|again)$",
    re.IGNORECASE,
)
_THERE_IS = re.compile(
    r"^(?:there is|there's|there are|(?:i|we) have(?: got)?|i've(?: got)?|we've(?: got)?) "
    r"(?:an? |my |our |the )?",
    re.IGNORECASE,
)
_OBLIGED = re.compile(
    r"\b(?:i|we) (?:have to|need to|must|should|want to|will|am going to) (?=\w)", re.IGNORECASE
)


def joined(said: str, now: datetime) -> str:
    """The one command that remark and command come to; empty when it is no such sentence."""
    found = _PARTS.match(_BEFORE.sub("", " ".join(said.split())))
    if found is None:
        return ""
    remark, command = found["remark"].strip(), found["command"].strip(" ,.!?;:")
    if _ADDS_IT.fullmatch(command):
        return _added(remark, now)
    name = _named(remark, now)
    if not name or not _TAKES_IT.match(command) or not _PRONOUN.search(command):
        return ""
    return _PRONOUN.sub(name, command, count=1)


def _added(remark: str, now: datetime) -> str:
    """ "Every tuesday I have to put the bins out": the obligation, or what has a date, is added."""
    item, obliged = _OBLIGED.subn("", remark, count=1)
    item, there_is = _THERE_IS.subn("", item, count=1)
    return f"add {item}" if obliged or there_is or dates.cut(item, now)[1] else ""


def _named(remark: str, now: datetime) -> str:
    found = _IT_IS.match(remark) or _I_DID.match(remark)
    if found is None:
        return ""
    name = found["name"]
    while (shorter := _TAIL.sub("", name)) != name:
        name = shorter
    name = dates.cut(name, now)[0]
    return name if len(name.split()) <= 8 else ""
