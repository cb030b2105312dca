"""What the key-less model says by itself; everything about todos comes from the tools."""

from __future__ import annotations

import re
from datetime import datetime

EXAMPLES = 'You can say "add buy milk for tomorrow at five", or "what is on my list today".'
NOT_UNDERSTOOD = f"I did not understand that. {EXAMPLES}"
WHAT_IS_MEANT = (
    'I am not sure what you mean. You can say "move the dentist to friday", '
    'or "rename buy paint to buy white paint". What shall I change?'
)
NOTHING_ASKED = (
    "I had not asked anything, so I am not sure what you mean. "
    'What would you like me to do? You can say "add" and a todo, or "what is on my list".'
)
LEFT_ALONE = "All right. What else can I do for you?"
THANKS = "You are welcome. Anything else?"
STOPPED = "All right. I am listening."
GREETING = "Hello. What can I do for you? I can add todos, read them to you, and remind you."
HERE = "I am here, and I can hear you. What can I do for you?"
WHO = "I am Convonet, a program that keeps your todos, lists and reminders."
HELP = (
    "I keep your todos, lists and reminders. You can say: add buy milk for tomorrow at five, "
    "what is on my list, mark the dentist as done, or remind me in two hours to take the cake out."
)
DONE_OR_AGAIN = "Is it done, or shall I remind you again later?"
RINGS = "Your reminders ring your phone if you chose that in the settings."
REMIND_WHEN = "When shall I remind you?"
REMIND_WHAT = "What shall I remind you of?"
MOVE_WHEN = "To when shall I move it?"
ADD_WHAT = "What shall I add?"
NOT_BY_PRIORITY = (
    "I cannot pick todos out by their priority. I can read you your list, or what is due on a day."
)
NOT_RENAME_LIST = "I cannot rename a list. I can create a new one, and move todos to it."
LIST_NAME = "What shall the list be called?"
TO_DO_WHAT = "Which todo do you mean, and what shall I do with it?"
NOTE_WHAT = "What shall the note say?"
NOT_CORRECTED = "I am not sure what to correct. Tell me the todo, and what it should say."
# What asks for the other half of a command.
ASKED_BACK = frozenset([REMIND_WHEN, REMIND_WHAT, MOVE_WHEN, ADD_WHAT, LIST_NAME, NOTE_WHAT])
TOOL_FAILED = "I am sorry, that did not work, and I cannot say whether anything was changed."
NO_TOOL = "I am sorry, I cannot do that at the moment."
NOT_KNOWN = (
    "I can only do that for somebody I know. You can key in your pin at any time, and then the"
    " hash key."
)
NOT_CONNECTED = "I cannot connect you with a person in this call."
CONNECTING = "I connect you now."

_OFFER = "I can keep your todos and lists, and remind you of things."
_TOPICS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern, re.IGNORECASE), f"{sentence} {_OFFER}")
    for pattern, sentence in [
        (
            r"\bweather|\brain|\bsunny|\bforecast|\btemperature|\bumbrella",
            "I cannot look up the weather.",
        ),
        (
            r"\be-?mails?\b|\btext message|\bsms\b|\bwhatsapp|\bmessage to|\bsend (?:a|an|the) ",
            "I cannot send messages.",
        ),
        (
            r"\binvit|\bcalendar|\bbook a (?:room|meeting)",
            "I have no calendar, and cannot send invitations.",
        ),
        (r"^(?:please )?(?:call|phone|dial|ring) ", "I cannot place phone calls."),
        (r"\bmusic|\bsong|\bplay |\bradio|\bvolume", "I cannot play anything."),
        (r"\bnews|\bheadlines|\bstock|\bscore", "I cannot look up the news."),
        (r"\bjoke|\bstory|\bpoem|\bsing\b", "I am not good at entertaining."),
        (
            r"\blights?\b|\bheating|\bthermostat|\bdoor\b|\bturn o(?:n|ff)",
            "I cannot control anything in the house.",
        ),
        (
            r"\border (?:a|me|some)|\bbuy me|\bbook me|\bpizza|\btaxi|\buber",
            "I cannot order or book anything.",
        ),
        (
            r"\btranslat|\bspell\b|\bplus\b|\btimes\b|\bdivided|\bcalculate|\bsquare root",
            "I cannot work that out.",
        ),
        (r"\btimer\b|\bstopwatch", "I have no timer; a reminder in some minutes does the same."),
        (r"\bnavigate|\bdirections|\bhow (?:far|do i get)|\btraffic", "I cannot find the way."),
        (r"^(?:why|where|who|how|what|when|is|are|does|do|can|did|which)\b", "I do not know that."),
    ]
]


def cannot(text: str) -> str:
    """One sentence on what is asked, and two things that can be done instead; empty: no idea."""
    for pattern, reply in _TOPICS:
        if pattern.search(text):
            return reply
    return ""


# What `the_time` and `the_day` begin with.
TELLS_CLOCK = ("It is ", "Today is ")


def the_time(now: datetime) -> str:
    minutes = f":{now.minute:02d}" if now.minute else ""
    half = "AM" if now.hour < 12 else "PM"
    return f"It is {(now.hour - 1) % 12 + 1}{minutes} {half}."


def the_day(now: datetime) -> str:
    return f"Today is {now:%A}, {now.day} {now:%B %Y}."
