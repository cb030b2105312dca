"""Makes what was heard comparable with the intents: courtesy off, likely mishearings put right.

Only what a todo assistant can expect is corrected ("to-do", "at" for "add", "is done"); the
caller's own words in titles stay.
"""

from __future__ import annotations

import re
from functools import partial

from workers.models_llm import several

_Rule = tuple[re.Pattern[str], str]


def _rules(*pairs: tuple[str, str]) -> list[_Rule]:
    return [(re.compile(pattern, re.IGNORECASE), text) for pattern, text in pairs]


_SPELLING = _rules(
    (r"[’‘`]", "'"),
    (r"[“”\"]", ""),
    (r"\b(Dr|Mr|Mrs|Ms|St)\.", r"\1"),
    (r"\bDr\b(?= [A-Z])", "Doctor"),
    (r"\b([ap])\.\s?m\b\.?", r"\1m"),
    (r"\b(?:to|two|too|the)-?do(?:'?s)?-(?:esque|ish)\b", "todo"),
    (
        r"\b(?:to-do'?s|to dos|to do's|todo's|tot+o'?s|toodoos|to-dues|two dos|todos'|to-dos)\b",
        "todos",
    ),
    (r"\b(?:to-do|two-do|to-due|todoo|toto|totto|to-doo)\b", "todo"),
    (r"\bto do'?s\b", "todos"),
    (r"(?<=\ba )to do\b|(?<=\bnew )to do\b|(?<=\bopen )to do\b|(?<=\bmy )to do\b", "todo"),
    (r"\bto do(?= (?:list|item)s?\b)", "todo"),
    (r"(?<=^add )to do (?=\w)", "todo "),
    (r"\bstill (?=(?:have|need|got|left|open|to do|due|on)\b)", ""),
    (r"\bpost[- ]?(?!card|office|box|man|it|er|al|grad|pone)(?:p\w+|bone\w*|own)\b", "postpone"),
    (r"\b(?:half past|past|quarter to) free\b", "half past three"),
    (r"\bnumber (?:for|fore)\b(?!$| the| my| a )", "number four"),
    (r"\bnumber (?:to|too)\b", "number two"),
    (r"\bnumber (?:won)\b", "number one"),
    (r"\bnumber ate\b", "number eight"),
    (r"\b([a-z]{2,}?)(?:tonite|tonight)\b", r"\1 tonight"),
    (r"\b(?:may|april|june) that (?=noon|midnight)", "May at "),
    (r",? ?\b(?:um+|uh+|erm*|hmm+|you know),?(?= |$)", " "),
    (r",? like,", " "),
    (r"\bwhats\b", "what's"),
    (r"\b(when|who|where)'s\b", r"\1 is"),
    (r"\b(I|we)'ve\b", r"\1 have"),
    (r"\b(I|we) (?:gotta|got to)\b", r"\1 have to"),
    (r"\s+", " "),
)
# "to do" that names a todo: before a word that ends the name, and not after "have", "me", ...
_TODO_NAME = re.compile(
    r"(?P<before>\b[\w']+ )to do"
    r"(?= (?:as|is|has|was|to|at|ask|done|due|until|till|for|saying|that)\b|$)",
    re.IGNORECASE,
)
_TODO_BLOCKED = frozenset(
    [
        "have",
        "had",
        "has",
        "need",
        "needs",
        "want",
        "wants",
        "me",
        "what",
        "anything",
        "something",
        "nothing",
        "things",
        "thing",
        "stuff",
        "much",
        "left",
        "got",
        "how",
        "us",
        "you",
        "him",
        "her",
        "them",
        "like",
        "going",
        "try",
        "able",
        "forget",
        "remember",
        "supposed",
        "meant",
        "i'm",
        "am",
        "is",
        "are",
        "lot",
    ]
)
_BEFORE = re.compile(
    r"^(?:(?:um+|uh+|er+|oh|so|well|ok|okay|alright|all right|right|hey|hi|hello|please|now|then|"
    r"just|also|actually|oops|whoops|ah|sorry|wait|convonet|computer|listen|"
    r"great|perfect|cool|good morning|good evening|"
    r"good afternoon|thanks|thank you|yes|yeah|no)(?:,|\b(?!'))\s*(?:and |but |then )?)+(?=\w)",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"^(?:(?:can|could|would|will|can't|couldn't|won't) (?:you|we|i)"
    r"(?: please| kindly| just| maybe| also)*"
    r"(?! (?:do(?! .* instead)|say|help|ask|hear)\b)"
    r"|i(?: would|'d)? (?:like|love|want|need)(?: you)? to"
    r"|i want you to|i need you to|let's|let us|please|kindly|go ahead and"
    r"|i was wondering if you could"
    r"|would you mind|do you mind|you can|you could|we (?:need|want) to|may i|let me|go and"
    r"|i think (?:i|you|we) should|try to|do)\s+(?=(?:please )?(?:<verb>)\b)".replace(
        "<verb>",
        "add|put|create|make|remind|delete|remove|cancel|mark|tick|check|complete|move|reschedule|"
        "postpone|push|change|set|rename|read|show|tell|give|list|undo|take|find|search|look|assign|"
        "tag|note|write|call me|wake|phone me|ring|stop|start|schedule|clear|know|see|hear|repeat|"
        "do(?= .* instead)|pop|stick|chuck|place|reopen|get rid|"
        "forget|drop|skip|throw|scrap|make|strike|cross|insert|enter|save|append|shift|delay|bring|prioriti[sz]e|finish",
    ),
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?:,? (?:please|for me|will you|would you|thanks|thank you|okay|ok|right now|if you can"
    r"|if you please|thank you very much|thanks a lot|convonet|could you|can you|as well|too))+$",
    re.IGNORECASE,
)
# Openings that sound like the verb of a command; tried only when the words as heard say nothing.
_OPENINGS = _rules(
    (r"^(?:and|on|un|end|i) ?do (?:that|it|this|the last one)(?: again)?$", "undo that"),
    (r"^(?:ad|adds|added|adding|act|ed|app)[, ]+(?=\w)", "add "),
    (
        r"^(?:mock|make|marked|marc|marks|park|market|much|more|bark|mike|mac) (?=.* done\b)",
        "mark ",
    ),
    (r"^(?:mind|rewind|remine|remains|reminder|remind) me ", "remind me "),
    (r"^(?:the lead|the late|deleted|deletes|leads?) ", "delete "),
    (r"^(?:moved|moves|moving|mood|mu|most) ", "move "),
    (r"^(?:renamed|renames|re-named|ring name|we name|read name) ", "rename "),
    (r"^(?:counsel|council|cancelled|cancels|can sell) ", "cancel "),
    (r"^(?:red|reed|greet) me ", "read me "),
    (r"^(?:shown|showed|so|sure) me ", "show me "),
    (r"^(?:created|greater|great|creates|crate) (?=a |new )", "create "),
    (r"^(?:watt|what's|was|but|that) is ", "what is "),
    (r"^(?:who's|whose) ", "who is "),
    (r"^(?:changed|changes|chained|chains) ", "change "),
    (r"^(?:remove|removed|removes|we move) ", "remove "),
)
# Words of their own that "add" is heard as: only before what sounds like an errand.
_LIKE_ADD = re.compile(
    r"(?:and|at|had|eight|as|that|had to)[, ]+"
    r"(?P<rest>\w(?!\w* (?:is|was|were|are|sounds|would|will|has|had)\b).*)",
    re.IGNORECASE,
)
# The first word of a todo that sounds like a verb.
_ITEM_HEADS = _rules(
    (r"^(?:by|bye) (?!the\b|then\b|noon\b|monday|tuesday|wednesday|thursday|friday)", "buy "),
    (r"^what (?:are|a|our) (?=the\b|my\b)", "water "),
    (r"^(?:right|rite) (?=the|a|an|my|to|down)\b", "write "),
    (r"^(?:male|mayl) (?=the|a|my)\b", "mail "),
    (r"^pea (?=the|my)\b", "pay "),
    (r"^(?:cool|cold|court|kohl) (?=the|my|mum|mom|dad)\b", "call "),
)
_DONE_HEARD = re.compile(r"\b(?:as|is|has|was|us|ask) (?:dumb|dun|damn|dawn|don|dan|down)$", re.I)


def tidy(text: str) -> str:
    """The words without courtesy, closing marks and the common mishearings."""
    text = " ".join(text.split())
    for pattern, replacement in _SPELLING:
        text = pattern.sub(replacement, text)
    text = re.sub(r"[.!?;]+(?=\s|$)", "", text)
    text = _DONE_HEARD.sub("as done", text.strip(" ,:-"))
    text = _TODO_NAME.sub(_todo_name, text)
    text = _AFTER.sub("", text)
    return text.strip(" ,:-")


def without_courtesy(text: str) -> str:
    """Also without what people say before a command ("could you please", "thanks, and")."""
    for _ in range(3):
        shorter = _ASKING.sub("", _BEFORE.sub("", text))
        shorter = re.sub(r"^(?:and|but|then|also) (?=\w)", "", shorter, flags=re.IGNORECASE)
        if shorter == text:
            break
        text = shorter
    return text


def corrected_openings(text: str) -> list[str]:
    """Other readings of the first word, most likely first."""
    readings = [pattern.sub(replacement, text) for pattern, replacement in _OPENINGS]
    found = _LIKE_ADD.match(text)
    rest = corrected_item(found["rest"]) if found else ""
    if several.begins_errand(rest) or re.search(r"\blist$", rest, re.IGNORECASE):
        readings.append(f"add {rest}")
    return [reading for reading in dict.fromkeys(readings) if reading != text]


def corrected_item(text: str) -> str:
    """A todo's words with a misheard verb at their head put right."""
    for pattern, replacement in _ITEM_HEADS:
        text, changed = pattern.subn(replacement, text, count=1)
        if changed:
            break
    return text


def as_written(words: str, text: str) -> str:
    """`words` with the commas they have in `text`, where they stand there."""
    pattern = r"[,;:]?\s+".join(map(re.escape, words.split()))
    found = re.search(pattern, text, re.IGNORECASE) if words else None
    return found[0] if found else words


def _todo_name(found: re.Match[str]) -> str:
    word = found["before"].strip().lower()
    return found.group() if word in _TODO_BLOCKED else f"{found['before']}todo"


# A colon that introduces a note says where the todo's name ends.
plain = partial(
    re.compile(r"[,;]+(?=\s|$)|(?<=\badd):|\b(?<=todo|task|item):|(?<=reminder):|:$").sub, ""
)
