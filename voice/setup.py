"""What a call is begun with: whose it is, how its far end speaks, and what it may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from voice.turns import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice.attendant import Attend
    from voice.ears import Hear
    from voice.fillers import Fillers
    from voice.options import CallOptions
    from voice.ports import Events, Queue, Records, Store
    from voice.realtime.wiring import Realtime
    from voice.wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSetup:
    user_id: int
    """Of a caller not known yet: a guest."""
    channel: str
    wire: Wire
    time_zone: str = ""
    id: str = field(default_factory=new_id)
    row_exists: bool = False
    """The call was begun elsewhere, or goes on after its last socket broke."""
    identified: bool = True
    screen: bool = True
    """What is not said can be read at the far end."""
    resumable: bool = False
    """When the socket breaks, another one may come for the same call."""
    attend: Attend | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all calls of a process share (`voice.wiring`), or a test's own."""

    store: Store
    queue: Queue
    hub: Events
    records: Records
    fillers: Fillers
    options: CallOptions
    hear: Hear | None = None
    realtime: Realtime | None = None
    """A speech-to-speech model holds the conversation."""
    clock: Callable[[], float] = monotonic
