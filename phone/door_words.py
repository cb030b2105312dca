"""What the doorkeeper says, and what it understands that is no PIN."""

from __future__ import annotations

import re

ASK = "Please say or key in your pin."
OR_GUEST = "To go on without it, say guest."
AGAIN = "That pin is not right. Please try again."
NOT_RIGHT = "That pin is not right either."
NOT_A_PIN = "I need four to six digits. Please say them one by one, or key them in."
NEEDED = "I cannot help you without your pin. Please say it or key it in."
ASK_NUMBER = (
    "I do not know the number you are calling from. Please key in your own telephone number with"
    " its country code, then the hash key."
)
ASK_ITS_PIN = "Now please key in your pin."
SORRY = "I am sorry, I can only help people whom I know. Goodbye."
TOO_OFTEN = "Those were too many tries, so I end this call here. Goodbye."
NO_EMERGENCY = "I am sorry, nobody can be reached that way."
NOT_ABLE = "I am sorry, I cannot check that right now."
HELP = "What can I do for you?"
_GUEST = re.compile(
    r"\b(guest|skip|without|anonymous|forgot|forgotten|no (pin|code)|don'?t (have|know|remember)"
    r"|do not (have|know|remember)|have no)\b"
    # As "guest" is heard over a telephone.
    r"|^\W*(yes|guess|guests|gas|gust|gast|just)\W*$",
    re.IGNORECASE,
)
_GOODBYE = re.compile(r"\W*(good ?bye|bye( bye)?|hang up|never ?mind)\W*", re.IGNORECASE)


def locked(seconds: float) -> str:
    """When to try again, rounded up; the same for everybody, whoever has an account."""
    minutes = max(1, -(-int(seconds + 0.999) // 60))
    if minutes == 1:
        wait = "a minute"
    elif minutes < 60:
        wait = f"{minutes} minutes"
    else:
        hours = -(-minutes // 60)
        wait = "an hour" if hours == 1 else f"{hours} hours"
    return f"There were too many wrong pins. You can try again in {wait}."


def has_no_pin(text: str) -> bool:
    """The caller says so, or that they do without."""
    return _GUEST.search(text) is not None


def gives_up(text: str) -> bool:
    return has_no_pin(text) or _GOODBYE.fullmatch(text) is not None
