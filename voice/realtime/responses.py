"""Which response of the model is wanted: at most one at a time, and a void one is void for ever.

Pure. The model makes one response at a time and takes a while to end one that is cancelled, so a
new one is asked for when the last is over. What still comes of a void response has no owner.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from voice.realtime.requests import CancelResponse, CreateResponse

# A cancelled response is over within a round trip.
CANCEL_SECONDS = 3.0
# After a refusal, how long until the next try.
AGAIN_SECONDS = 1.0
# Responses cancelled and not yet over are one or two; late events come within seconds.
MOST_VOID = 32
BUSY = "conversation_already_has_active_response"


@dataclass(slots=True)
class Active:
    id: str
    owner: str
    heard_at: float
    """When something last came of it, or when it was made void."""
    void: bool = False


class Responses:
    def __init__(self, answer_seconds: float) -> None:
        self._answer_seconds = answer_seconds
        self._count = 0
        self._void: OrderedDict[str, None] = OrderedDict()
        self.reset()

    def reset(self) -> None:
        """There is another model on the line, or none. What was void stays so."""
        self._wanted: CreateResponse | None = None
        self._sent: CreateResponse | None = None
        self._sent_at = self._not_before = 0.0
        self._sent_void = False
        self._active: Active | None = None

    def ask(self, owner: str, now: float, instructions: str = "") -> list[CreateResponse]:
        """Answer this turn: now, or as soon as what is being said is over."""
        self._count += 1
        self._wanted = CreateResponse(owner, f"ask-{self._count}", instructions)
        return self._next(now)

    def void(self, owner: str, now: float) -> list[CancelResponse]:
        """Nothing that was or will be said for this turn is wanted any more."""
        if self._wanted is not None and self._wanted.owner == owner:
            self._wanted = None
        if self._sent is not None and self._sent.owner == owner:
            self._sent_void = True
        active = self._active
        if active is None or active.owner != owner or active.void:
            return []
        return [self._cancel(active, now)]

    def created(self, response_id: str, owner: str | None, now: float) -> list[CancelResponse]:
        """One nobody asked for, or that is not wanted any more, is cancelled at once."""
        asked, void = self._sent, self._sent_void
        self._sent, self._sent_void = None, False
        mine = asked is not None and owner in (None, asked.owner)
        self._active = Active(response_id, asked.owner if asked and mine else "", now)
        return [] if mine and not void else [self._cancel(self._active, now)]

    def owner(self, response_id: str, now: float) -> str:
        """The turn an event is for; empty for what is to be ignored."""
        active = self._active
        if active is None or active.id != response_id or response_id in self._void:
            return ""
        active.heard_at = now
        return active.owner

    def asked_by(self, response_id: str) -> str:
        """The turn it was asked for, also one that is void; empty where that is not known."""
        active = self._active
        return active.owner if active is not None and active.id == response_id else ""

    def done(self, response_id: str, now: float) -> list[CreateResponse]:
        if self._active is None or self._active.id != response_id:
            return []
        self._active = None
        return self._next(now)

    def refused(self, event_id: str, code: str, now: float) -> bool:
        """False: it was not about a response. One refused as too early is asked for again."""
        if self._sent is None or self._sent.event_id != event_id:
            return False
        if code == BUSY and not self._sent_void:
            self._count += 1
            self._wanted = replace(self._sent, event_id=f"ask-{self._count}")
            self._not_before = now + AGAIN_SECONDS
        self._sent, self._sent_void = None, False
        return True

    def tick(self, now: float) -> list[CreateResponse]:
        return self._next(now)

    def stuck(self, now: float) -> bool:
        """The model says nothing where it should."""
        if self._sent is not None and now - self._sent_at > self._answer_seconds:
            return True
        active = self._active
        if active is None:
            return False
        return now - active.heard_at > (CANCEL_SECONDS if active.void else self._answer_seconds)

    # Inside -------------------------------------------------------------------------------------
    def _next(self, now: float) -> list[CreateResponse]:
        busy = self._sent is not None or self._active is not None
        if self._wanted is None or busy or now < self._not_before:
            return []
        self._sent, self._wanted, self._sent_at = self._wanted, None, now
        return [self._sent]

    def _cancel(self, active: Active, now: float) -> CancelResponse:
        active.void, active.heard_at = True, now
        self._void[active.id] = None
        if len(self._void) > MOST_VOID:
            self._void.popitem(last=False)
        return CancelResponse(active.id)
