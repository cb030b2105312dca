"""What arrives on one socket, from the server's bytes to whoever takes the messages.

Straight through, on the call by which the server hands the bytes over. One socket gets `AT_ONCE`
messages done and lets the others have their turn; until it has its own again it is not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from convonet import counters
from convonet.front.frames import Frames, Other
from convonet.front.inbox import Inbox

# A second and more of a call's audio; as many cost a few milliseconds.
AT_ONCE = 64


class Intake:
    """`feed` gets all that comes after the handshake.

    `odd` has the server's own parser read a frame, and answers whether it is between messages;
    `pause` and `resume` stop and start the reading.
    """

    def __init__(
        self,
        *,
        odd: Callable[[bytes], bool],
        pause: Callable[[], None],
        resume: Callable[[], None],
    ) -> None:
        self._odd, self._pause, self._resume = odd, pause, resume
        self._frames = Frames()
        self._waits = self._over = False
        self.inbox = Inbox(pause, self._room)

    def feed(self, data: bytes) -> None:
        self._frames.feed(data)
        if not (self._waits or self.inbox.full):
            self._work()

    def end(self) -> None:
        """The connection is lost: what was not taken by now is void."""
        self._over = True

    def _work(self) -> None:
        frames, inbox = self._frames, self.inbox
        for _ in range(AT_ONCE):
            frame = frames.next()
            if frame is None:
                return
            if isinstance(frame, Other):
                frames.plain = self._odd(frame.data)
                if self._over:
                    return
            else:
                inbox.put(frame)
            if inbox.full:
                return
        self._wait()

    def _wait(self) -> None:
        counters.add("inbound_pauses")
        self._waits = True
        self._pause()
        asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._waits = False
        self._room()

    def _room(self) -> None:
        """Go on with what was left, and read again if that is done."""
        if self._over or self._waits:
            return
        self._work()
        if not (self._over or self._waits or self.inbox.full):
            self._resume()
