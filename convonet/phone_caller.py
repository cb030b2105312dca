"""A caller without a telephone: says recordings over a simulated line to a running server.

Used by `manage.py call --twilio`, by the demo and by tests. What the wire does not tell (words,
tools, states) is read from the call's rows, so this needs the server's database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import QuerySet

from convonet.caller import CallFailed, Exchange
from convonet.far_end import names
from convonet.far_end.line import KEY_SECONDS, Line, Speech, Spoken
from convonet.far_end.people import Person
from convonet.far_end.phone_call import Dialog, PhoneCall
from convonet.far_end.webhooks import Account, Route, Webhooks
from phone.models import PhoneCall as PhoneRow
from voice.models import Turn

# A caller puts the receiver down when nothing at all happens for so long.
PATIENCE_SECONDS = 45.0
# Somebody who hears nothing on being connected begins to speak.
GREETING_SECONDS = 8.0
GREETED_MS = 300
# Silence after which it is the caller's turn.
QUIET_SECONDS = 0.6
_OVER = (Turn.State.DONE, Turn.State.INTERRUPTED, Turn.State.FAILED)

FollowUp = Callable[[Exchange], Speech | None]
"""What the caller says next, having heard this; None for the next of the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is, and the account whose signature it takes."""

    public_url: str
    """As it knows itself (its PUBLIC_URL)."""
    local_url: str
    """Where it is reached here."""
    account: Account = field(default_factory=Account)

    @property
    def route(self) -> Route:
        return Route(self.public_url, self.local_url)

    def dialog(self, caller: str, called: str) -> Dialog:
        base = self.public_url.rstrip("/")
        return Dialog(
            voice_url=f"{base}/twilio/voice",
            status_url=f"{base}/twilio/status",
            caller=caller,
            called=called,
        )


def configured_server() -> Server:
    """The one of these settings, on this machine; raises `CallFailed` without a telephone."""
    if not (settings.TWILIO_AUTH_TOKEN and settings.PUBLIC_URL):
        raise CallFailed(
            "The server has no telephone: set TWILIO_AUTH_TOKEN (any, to try it) and PUBLIC_URL,"
            " for it and for this command. See docs/phone.md."
        )
    return Server(
        public_url=settings.PUBLIC_URL,
        local_url=f"http://127.0.0.1:{settings.PORT}",
        account=Account(settings.TWILIO_ACCOUNT_SID or names.ACCOUNT, settings.TWILIO_AUTH_TOKEN),
    )


@dataclass(slots=True)
class PhoneReport:
    """Exchanges as the browser's caller reports them; their audio is mu-law at 8 kHz."""

    line: Line
    call: PhoneCall
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def heard(self) -> bytes:
        """All that the caller heard, without the pauses."""
        return b"".join(bytes(span.audio) for span in self.line.ear.spans)


async def place_phone_call(
    server: Server,
    speeches: Sequence[Speech],
    *,
    caller: str = names.CALLER,
    called: str = names.CALLED,
    pin: str = "",
    people: Mapping[str, Person] | None = None,
    follow_up: FollowUp = lambda exchange: None,
) -> PhoneReport:
    """Call, key in `pin` when greeted, say these one after the other, hang up.

    Raises `CallFailed` when the server did not take the call.
    """
    line = Line()
    async with Webhooks(server.account, server.route) as webhooks:
        call = PhoneCall(line, webhooks, server.dialog(caller, called), people=people)
        report = PhoneReport(line, call)

        async def person(line: Line) -> None:
            if pin:
                # Into the greeting, as people do who know what is asked.
                await line.hears_after(line.clock(), GREETED_MS, GREETING_SECONDS)
                await _key_in(line, pin)
            await line.quiet(QUIET_SECONDS, GREETING_SECONDS)
            for speech in speeches:
                report.exchanges.append(await _say(line, speech, call.sid))
                more = follow_up(report.exchanges[-1])
                if more is not None:
                    report.exchanges.append(await _say(line, more, call.sid))

        await call.run(person)
    if not call.streams:
        raise CallFailed("; ".join(line.errors) or f"The server said: {' '.join(line.told)}")
    return report


async def _key_in(line: Line, pin: str) -> None:
    line.press(f"{pin}#")
    keyed = line.clock() + KEY_SECONDS * len(pin)
    await line.hears_after(keyed, 1, PATIENCE_SECONDS)


async def _say(line: Line, speech: Speech, sid: str) -> Exchange:
    """One utterance and what came of it, as far as it came."""
    exchange, known = Exchange(), await _last_number(sid)
    spoken = await line.say(speech)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while line.doing != "over" and time.monotonic() < deadline:
        await line.until(lambda: _silent(line, spoken), deadline - time.monotonic())
        if await _answered(sid, known):
            break
        # A thinking agent is silent, too.
        await line.until(lambda: False, 0.2)
    await _fill_in(exchange, sid, known)
    _fill_in_heard(exchange, line, spoken)
    return exchange


def _silent(line: Line, spoken: Spoken) -> bool:
    now = line.clock()
    first = line.ear.first_sound_after(spoken.ended)
    return first is not None and line.ear.silent_for(now) >= QUIET_SECONDS


def _fill_in_heard(exchange: Exchange, line: Line, spoken: Spoken) -> None:
    first = line.ear.first_sound_after(spoken.ended)
    if first is None:
        return
    exchange.timings_ms["first_audio"] = round((first - spoken.ended) * 1000)
    for span in line.ear.spans:
        if span.until > spoken.ended:
            skipped = max(0, round((spoken.ended - span.at) * 8000))
            exchange.audio += span.audio[skipped:]


# Rows ---------------------------------------------------------------------------------------
@sync_to_async
def _last_number(sid: str) -> int:
    last = Turn.objects.filter(call__phone__sid=sid).order_by("-number").first()
    return last.number if last else 0


@sync_to_async
def _answered(sid: str, known: int) -> bool:
    """Whether every turn since that one is over, and the call knows the last word of it."""
    states = list(_since(sid, known).values_list("state", flat=True))
    return bool(states) and all(state in _OVER for state in states)


@sync_to_async
def _fill_in(exchange: Exchange, sid: str, known: int) -> None:
    turns = list(_since(sid, known).prefetch_related("tool_calls"))
    exchange.transcript = " ".join(turn.transcript for turn in turns)
    exchange.reply = " ".join(turn.reply for turn in turns)
    if turns:
        exchange.state = turns[-1].state
    for turn in turns:
        exchange.tool_calls += [
            {
                "name": call.name,
                "arguments": call.arguments,
                "status": "done" if call.ok else "failed",
                "summary": call.summary,
            }
            for call in turn.tool_calls.all()
        ]
        for name in ("transcript", "first_token", "first_audio"):
            value = getattr(turn, f"{name}_ms")
            if value is not None:
                exchange.server_ms[name] = value


def _since(sid: str, known: int) -> QuerySet[Turn]:
    return Turn.objects.filter(call__phone__sid=sid, number__gt=known).order_by("number")


@sync_to_async
def row_of(sid: str) -> PhoneRow | None:
    """The call's row, with its `call`."""
    return PhoneRow.objects.select_related("call").filter(sid=sid).first()
