"""A browser's call in a hurry: types, hears the answer at once, types again, hangs up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from convonet.far_end.socket import Socket, connect
from voice.audio import BROWSER
from voice.browser_stream import read_audio_message

# As often as a page that plays may tell how far it is, which the product bounds.
TOLD_SECONDS = 0.06
READY_SECONDS = 30.0
TURN_SECONDS = 60.0
START = json.dumps({"type": "start", "time_zone": "UTC", "microphone": False})


class Typist:
    """`failed` counts turns that did not end well, and calls that did not come up."""

    def __init__(self) -> None:
        self._socket: Socket
        self._told: asyncio.TimerHandle | None = None
        self._turns: dict[int, str] = {}
        self._heard = (0, 0)
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._done: asyncio.Queue[str] = asyncio.Queue()
        self.done = 0
        self.failed: list[str] = []

    async def call(self, url: str, turns: int, words: Callable[[], str]) -> None:
        """Raises NotOpened."""
        self._socket = await connect(url, {}, self._hear, self._end)
        self._socket.send(START)
        try:
            await asyncio.wait_for(self._ready.wait(), READY_SECONDS)
            for _ in range(turns):
                self._socket.send(json.dumps({"type": "text", "text": words()}))
                state = await asyncio.wait_for(self._done.get(), TURN_SECONDS)
                self.done += state == "done"
                if state != "done":
                    self.failed.append(f"a turn was {state}")
                    if self._over.is_set():
                        return
        except TimeoutError:
            self.failed.append("a turn got no answer" if self._ready.is_set() else "not ready")
        finally:
            await self._leave()

    async def _leave(self) -> None:
        if self._told is not None:
            self._told.cancel()
        self._socket.send('{"type":"stop"}')
        try:
            await asyncio.wait_for(self._over.wait(), READY_SECONDS)
        except TimeoutError:
            self.failed.append("the call did not end")
            self._socket.drop()

    # What comes -----------------------------------------------------------------------------
    def _hear(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            number, at_ms, pcm = read_audio_message(message)
            self._heard = number, at_ms + BROWSER.ms_of(len(pcm))
            if self._told is None:
                loop = asyncio.get_running_loop()
                self._told = loop.call_later(TOLD_SECONDS, self._tell)
            return
        said = json.loads(message)
        match said["type"]:
            case "ready":
                self._ready.set()
            case "sentence" | "filler":
                self._turns = {said["number"]: said["turn"]}
            case "turn_done":
                self._done.put_nowait(said["state"])
            case "bye":
                self.failed.append(f"bye: {said.get('reason', '')}")

    def _tell(self) -> None:
        self._told = None
        number, ms = self._heard
        if number in self._turns:
            played = {"type": "played", "turn": self._turns[number], "ms": ms}
            self._socket.send(json.dumps(played))

    def _end(self) -> None:
        self._over.set()
        self._done.put_nowait("cut off")
