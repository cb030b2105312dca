"""What callers, and the people they are connected with, are told on the way."""

from __future__ import annotations

from phone.models import PhoneCall, Transfer

CONNECTING = "I connect you now."
TOO_LATE = "The caller has hung up."
ANYTHING_ELSE = "What else can I do for you?"
NO_HELP = (
    "Nobody could be reached. If this is an emergency, hang up and call the emergency services."
)


def whisper(wish: Transfer) -> str:
    """Who calls and why: what callers say is data, and comes last but for what to do."""
    whom = f" for {wish.department.name}" if wish.department and not wish.emergency else ""
    kind = "An emergency call" if wish.emergency else "A call"
    reason = wish.reason.rstrip(" .!?")
    about = f" It is about: {reason}." if reason else ""
    return f"{kind}{whom}, from {_caller(wish)}.{about} Press any key to take the call."


def nobody(wish: Transfer) -> str:
    if wish.department is None:
        return "Nobody answered."
    return f"Nobody in {wish.department.name} answered."


def missed(wish: Transfer) -> str:
    return f"{nobody(wish)} I am back. {ANYTHING_ELSE}"


def _caller(wish: Transfer) -> str:
    """By name if they have shown who they are, else by the end of their number."""
    call = wish.call
    if call.identified:
        return str(call.user.get_full_name() or call.user.get_username())
    phone: PhoneCall | None = getattr(call, "phone", None)
    if phone is None or not phone.theirs:
        return "somebody whose number is withheld"
    return f"somebody whose number ends in {' '.join(phone.theirs[-4:])}"
