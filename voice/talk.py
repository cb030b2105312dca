"""Who holds a call's conversation: our own parts, or a speech-to-speech model beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from voice.conversation import Conversation
from voice.setup import CallSetup, Surroundings

if TYPE_CHECKING:
    from voice.realtime.bridge import Bridge


class Talk:
    """The conversation, and of the model on the line what the call has to do with."""

    def __init__(
        self,
        setup: CallSetup,
        around: Surroundings,
        flush: Callable[[], None],
        log_fields: dict[str, object],
    ) -> None:
        self._bridge: Bridge | None = None
        self.tap: Callable[[bytes], None] | None = None
        """Takes the caller's audio, as it comes."""
        self.extra: Callable[[Any], Awaitable[None]] | None = None
        """Stores or queues what is for the model."""
        audio_format, realtime = setup.wire.format, around.realtime
        if realtime is None:
            self.conversation = Conversation(audio_format, around.options)
            return
        conversation = realtime.conversation(audio_format, around.options)
        self._bridge = realtime.bridge(
            conversation, flush, audio_format=audio_format, clock=around.clock, fields=log_fields
        )
        self.tap = self._bridge.hear
        self.extra = realtime.hand(setup.id, audio_format).do
        self.conversation = conversation

    def carry(self, what: Any) -> None:
        """To the model, at once."""
        if self._bridge is not None:
            self._bridge.carry(what)

    async def run(self) -> None:
        """Until cancelled, or at once when there is nothing to do."""
        if self._bridge is not None:
            await self._bridge.run()
