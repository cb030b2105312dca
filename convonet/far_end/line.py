"""The caller's end of one call, as a person has it in hand: talk, press keys, listen, hang up.

`PhoneCall` connects it with one stream after the other; what is said while none is up is said to
nobody and waits for the next.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from convonet.far_end.ear import BYTES_PER_SECOND, Ear
from convonet.far_end.wire import FRAME_BYTES, SILENCE

# Between two keys of a person who types fast.
KEY_SECONDS = 0.15
# What nobody steps on (no stream is up) is looked at so often.
LOOK_SECONDS = 0.2
# An hour of replies at ten messages a second, marks included.
ARRIVALS = 72_000


@dataclass(frozen=True, slots=True)
class Speech:
    """Mu-law at 8 kHz; its voice begins `from_ms` into it and ends at `to_ms`."""

    audio: bytes
    from_ms: int
    to_ms: int


@dataclass(slots=True)
class Spoken:
    """What was said; `began` is when its first frame left (seconds of the clock), 0 before."""

    speech: Speech
    began: float = 0.0
    over: bool = False

    @property
    def voiced(self) -> float:
        return self.began + self.speech.from_ms / 1000

    @property
    def ended(self) -> float:
        """When its last sound was made."""
        return self.began + self.speech.to_ms / 1000


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message of the server: `kind` is `media`, `mark` or `clear`, `size` the audio's bytes."""

    at: float
    kind: str
    size: int = 0
    name: str = ""


@dataclass(slots=True)
class Lateness:
    """How late frames left, for figures of a machine too busy to be believed."""

    frames: int = 0
    most_ms: float = 0.0
    over_one_frame: int = 0

    def add(self, seconds: float) -> None:
        self.frames += 1
        self.most_ms = max(self.most_ms, seconds * 1000)
        self.over_one_frame += seconds > 0.02


@dataclass(slots=True)
class _Waiter:
    true: Callable[[], bool]
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Line:
    """`doing` is what Twilio does with the call: `ringing`, a verb in small letters, or `over`."""

    def __init__(
        self,
        *,
        keep: bool = True,
        ear_speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keep` what is heard; `ear_speed`: how much faster than real time it is heard."""
        self.clock = clock
        self._since, self._speed = clock(), ear_speed
        self.ear = Ear(keep=keep)
        self.doing = "ringing"
        self.said: list[Spoken] = []
        self.told: list[str] = []
        """What Twilio's own voice said (`<Say>`)."""
        self.arrivals: deque[Arrival] = deque(maxlen=ARRIVALS)
        self.errors: list[str] = []
        """What the server did against the protocol or TwiML's rules."""
        self.late = Lateness()
        self.hung_up = asyncio.Event()
        self._mouth: deque[Spoken] = deque()
        self._offset = 0
        self._keys: deque[tuple[float, str]] = deque()
        self._waiters: list[_Waiter] = []

    def ear_time(self, now: float) -> float:
        """The ear's clock, which is the line's at the speed of one."""
        return self._since + (now - self._since) * self._speed

    def time_of_ear(self, moment: float) -> float:
        return self._since + (moment - self._since) / self._speed

    # The person -----------------------------------------------------------------------------
    def start_saying(self, speech: Speech) -> Spoken:
        """Its first frame leaves with the next that is due, behind what is still being said."""
        spoken = Spoken(speech)
        self.said.append(spoken)
        self._mouth.append(spoken)
        return spoken

    async def say(self, speech: Speech) -> Spoken:
        """Returns when it has all been said."""
        spoken = self.start_saying(speech)
        await self.until(lambda: spoken.over, len(speech.audio) / BYTES_PER_SECOND + 60)
        return spoken

    def press(self, digits: str, every: float = KEY_SECONDS) -> None:
        at = self._keys[-1][0] + every if self._keys else self.clock()
        self._keys.extend((at + n * every, digit) for n, digit in enumerate(digits))

    def hang_up(self) -> None:
        self.hung_up.set()
        self.look()

    async def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true in time; also ends when the call is over."""
        deadline = self.clock() + seconds
        waiter = _Waiter(true)
        self._waiters.append(waiter)
        try:
            while not true():
                left = deadline - self.clock()
                if left <= 0 or self.doing == "over":
                    return False
                await asyncio.wait({waiter.done}, timeout=min(left, LOOK_SECONDS))
        finally:
            self._waiters.remove(waiter)
        return True

    async def quiet(self, seconds: float, patience: float) -> bool:
        """Until something was heard and then nothing for `seconds`; gives up after `patience`."""
        return await self.until(
            lambda: self.ear.silent_for(self.ear_time(self.clock())) >= seconds, patience
        )

    async def hears_after(self, moment: float, ms: int, patience: float) -> bool:
        """Until `ms` of sound that began after `moment` were heard."""

        def enough() -> bool:
            first = self.ear.first_sound_after(moment)
            return first is not None and self.clock() >= first + ms / 1000

        return await self.until(enough, patience)

    # Twilio ---------------------------------------------------------------------------------
    def next_frame(self, now: float) -> bytes:
        """The 20 ms that the microphone takes up at `now`."""
        if not self._mouth:
            return SILENCE * FRAME_BYTES
        spoken = self._mouth[0]
        if not self._offset:
            spoken.began = now
        audio = spoken.speech.audio[self._offset : self._offset + FRAME_BYTES]
        self._offset += FRAME_BYTES
        if self._offset >= len(spoken.speech.audio):
            spoken.over = True
            self._mouth.popleft()
            self._offset = 0
        return audio.ljust(FRAME_BYTES, SILENCE)

    def next_key(self, now: float) -> str:
        """The key that is pressed by now; empty when there is none."""
        if self._keys and self._keys[0][0] <= now:
            return self._keys.popleft()[1]
        return ""

    def do(self, what: str) -> None:
        self.doing = what
        self.look()

    def look(self) -> None:
        """Something may have come true that is waited for."""
        for waiter in self._waiters:
            if not waiter.done.done() and (self.doing == "over" or waiter.true()):
                waiter.done.set_result(None)

    def count(self, kind: str) -> int:
        return sum(arrival.kind == kind for arrival in self.arrivals)

    def error(self, text: str) -> None:
        # A server that is wrong all the time is wrong in the same way.
        if len(self.errors) < 100:
            self.errors.append(text)
