"""The reader of a call: what the caller's client sends, checked, rationed and handed on.

Audio goes through `voice.listening`, whose utterances the conversation gets; messages go to the
conversation. Bounds: those of `voice.limits`, and one utterance of audio.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from voice import controls
from voice.conversation import Conversation
from voice.ears import Ear
from voice.endpointing import Endpoint
from voice.errors import Refused
from voice.limits import AudioAllowance, MessageAllowance
from voice.listening import Heard, Listener
from voice.options import CallOptions
from voice.turns import HangUp
from voice.wire import Wire

Receive = Callable[[], Awaitable[str | bytes | None]]
HandTo = Callable[[Callable[[str | bytes | None], None]], bool]

# Networks hold audio up for shorter; a caller of whom nothing at all arrives has stopped talking.
GONE_SECONDS = 1.0


class Reader:
    """`flush` sends the conversation's commands their way, `hang_up` ends the call.

    `tap` gets the audio as it comes, beside the voice gate.
    """

    def __init__(
        self,
        *,
        conversation: Conversation,
        wire: Wire,
        options: CallOptions,
        ear: Ear,
        flush: Callable[[], None],
        notice: Callable[[str], None],
        key: Callable[[str], None],
        hang_up: Callable[[HangUp], None],
        tap: Callable[[bytes], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conversation, self._ear = conversation, ear
        self._wire, self._key, self._clock = wire, key, clock
        self._hear = wire.hear
        self._tap = tap
        self._flush, self._notice, self._hang_up = flush, notice, hang_up
        self._most_characters = options.text_characters
        self._listener = Listener(wire.format, options.endpoint)
        self._messages = MessageAllowance(options.messages_per_second)
        self._muted, self._heard_at = False, 0.0
        self.audio = AudioAllowance(wire.format, options.flood_seconds)

    async def run(self, receive: Receive) -> None:
        """Until the socket ends (None) or the client breaks the protocol.

        A `receive` that can `hand_to` somebody does, so that no task wakes up for a message.
        """
        hand_to: HandTo | None = getattr(receive, "hand_to", None)
        try:
            if hand_to is None or not await self._handed(hand_to):
                while (message := await receive()) is not None:
                    self.take(message)
        except Refused as refusal:
            self._hang_up(HangUp(refusal.code, "refused", refusal.sentence))

    async def _handed(self, hand_to: HandTo) -> bool:
        """As `run`; False: nothing will be handed over."""
        over = asyncio.get_running_loop().create_future()

        def take(message: str | bytes | None) -> None:
            if over.done():
                return
            try:
                if message is None:
                    over.set_result(None)
                else:
                    self.take(message)
            except Exception as error:
                # Whoever reads the socket is not to be troubled with it.
                over.set_exception(error)

        if not hand_to(take):
            return False
        await over
        return True

    def take(self, message: str | bytes) -> None:
        """One message; raises `Refused` for what ends the call."""
        audio = self._hear(message)
        if audio is not None:
            self._on_audio(audio)
            return
        control = self._wire.decode(message)
        if isinstance(control, controls.Audio):
            self._on_audio(control.data)
        else:
            self._on_control(control)

    def finish(self) -> None:
        """Nothing more comes: what was said before a pause counts, half a sentence does not."""
        last = self._listener.finish_if_paused()
        if last is not None:
            self._heard(last)

    def tick(self, now: float) -> None:
        """An utterance of which nothing more arrives is over."""
        if self._listener.in_speech and now - self._heard_at > GONE_SECONDS:
            last = self._listener.finish()
            if last is not None:
                self._heard(last)

    def _on_audio(self, audio: bytes) -> None:
        now = self._clock()
        if self._muted or not audio or not self.audio.take(len(audio), now):
            return
        self._heard_at = now
        if self._tap is not None:
            self._tap(audio)
        for heard in self._listener.feed(audio):
            self._heard(heard)
        self._ear.listen()

    def _heard(self, heard: Heard) -> None:
        """What follows from it goes its way at once: the ear is asked before more is heard."""
        conversation, now = self._conversation, self._clock()
        match heard.endpoint:
            case Endpoint.STARTED:
                self._ear.started(self._listener)
                conversation.speech_started(now)
            case Endpoint.PAUSED:
                conversation.speech_paused(heard.audio)
            case Endpoint.RESUMED:
                self._ear.resumed()
                conversation.speech_resumed()
            case Endpoint.ENDED:
                conversation.speech_ended(heard.audio, heard.silence_ms, now)
            case Endpoint.DISCARDED:
                conversation.speech_discarded(now)
        self._flush()
        if heard.endpoint in (Endpoint.ENDED, Endpoint.DISCARDED):
            self._ear.over()

    def _on_control(self, control: controls.Control | None) -> None:
        now = self._clock()
        self._messages.take(now)
        match control:
            case controls.Typed(text=words):
                self._typed(words, now)
            case controls.Key(digit=digit):
                self._key(digit)
            case controls.Interrupt():
                self._conversation.interrupt(now)
            case controls.Played(turn_id=turn_id, ms=ms):
                self._conversation.played(turn_id, ms, now)
            case controls.Mute(muted=muted):
                self._mute(muted)
            case controls.Stop():
                self._hang_up(HangUp(1000, "hung up", ""))
            case controls.Start():
                raise Refused(4400, "This call has already begun.")
        self._flush()

    def _typed(self, words: str, now: float) -> None:
        most = self._most_characters
        if len(words) > most:
            self._notice(f"That is too long for me. Please keep it under {most} characters.")
        elif words:
            self._conversation.typed(words, now)

    def _mute(self, muted: bool) -> None:
        self._muted = muted
        last = self._listener.finish() if muted else None
        if last is not None:
            self._heard(last)
