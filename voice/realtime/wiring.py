"""The speech-to-speech model of this process, where one is configured, and its part in a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from voice.audio import AudioFormat
from voice.audio_store import AudioStore
from voice.options import CallOptions
from voice.ports import Queue
from voice.realtime import records
from voice.realtime.bridge import Bridge
from voice.realtime.conversation import RealtimeConversation
from voice.realtime.hand import Hand
from voice.realtime.line import RealtimeLine


@dataclass(frozen=True, slots=True)
class Realtime:
    line: RealtimeLine
    store: AudioStore
    queue: Queue

    def conversation(self, audio_format: AudioFormat, options: CallOptions) -> RealtimeConversation:
        return RealtimeConversation(audio_format, options, self.line.options)

    def hand(self, call_id: str, audio_format: AudioFormat) -> Hand:
        return Hand(
            call_id,
            audio_format,
            store=self.store,
            queue=self.queue,
            records=records,
            model=self.line.options.model,
            transcribe_model=self.line.options.transcribe_model,
        )

    def bridge(
        self,
        conversation: RealtimeConversation,
        flush: Callable[[], None],
        *,
        audio_format: AudioFormat,
        clock: Callable[[], float],
        fields: Mapping[str, object],
    ) -> Bridge:
        return Bridge(
            conversation=conversation,
            line=self.line,
            store=self.store,
            audio_format=audio_format,
            flush=flush,
            clock=clock,
            log_fields=fields,
        )
