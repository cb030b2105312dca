"""The sentences a caller reads or hears when something is not as it should be."""

from __future__ import annotations

TOO_LONG = "That took too long, so I stopped waiting. Please look at your list before trying again."
NOT_HEARD = "I could not make out your words. Please say it again, or type it."
ONLY_NOISE = "I hear sound but no words. Try a quieter place, mute, or type instead."
TOO_MANY = "One moment: I am still busy with what you said before. That last one was not taken."
NOT_SPOKEN = "I could not say that aloud. You can read it here."
NOT_READING = "Your device stopped playing my answer, so I hung up."
BROKER_LOST = "I lost touch with my workers. Your call stays up while I reconnect."
BROKER_BACK = "I am back, and go on with what you said."
NOT_STORED = "I could not take that in, so nothing was done with it. Please say it again."
GOODBYE = "Goodbye."
_FOR_EARS = {
    NOT_HEARD: "I could not make out your words. Please say it again.",
    ONLY_NOISE: "I hear sound but no words. Please try a quieter place.",
    TOO_LONG: "That took too long, so I stopped waiting. Ask for your list before trying again.",
}
_MISSING = (
    "The part of me that does the {what} is not running right now. "
    "I keep what you said and go on as soon as it is back."
)


def worker_missing(role: str) -> str:
    return _MISSING.format(what="listening" if role == "speech" else "thinking")


def for_ears(text: str) -> str:
    """The same for a caller who can neither read nor type."""
    return _FOR_EARS.get(text, text)


def late_answer(reply: str) -> str:
    return f"What took too long has been answered now: {reply}"
