"""Endpointing: deciding from voiced and unvoiced frames when the caller begins, pauses and ends.

Pure: it sees booleans and durations. `voice.listening` gives it the gate's verdicts.
"""

from __future__ import annotations

from enum import Enum

from voice.options import EndpointOptions


class Endpoint(Enum):
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    DISCARDED = "discarded"
    """It ended with too little voice to be words."""


class Endpointer:
    """Feed it one verdict per frame; it answers with at most one transition."""

    def __init__(self, options: EndpointOptions) -> None:
        self._options = options
        self._window = (1 << options.start_window_ms // options.frame_ms) - 1
        """A bit for each frame that may begin an utterance; `_recent` has those with voice."""
        self._reset()

    def _reset(self) -> None:
        self.in_speech = False
        self.paused = False
        self.silence_ms = 0
        self.voiced_ms = 0
        self.length_ms = 0
        self._voiced_run_ms = 0
        self._recent = 0

    def feed(self, voiced: bool) -> Endpoint | None:
        return self._continue(voiced) if self.in_speech else self._wait(voiced)

    def end_now(self) -> Endpoint | None:
        """End the utterance at once (mute, hang-up); None when there is none."""
        return self._end() if self.in_speech else None

    def _wait(self, voiced: bool) -> Endpoint | None:
        self._recent = self._recent << 1 & self._window
        if not voiced:
            return None
        self._recent |= 1
        voiced_ms = self._recent.bit_count() * self._options.frame_ms
        if voiced_ms < self._options.start_ms:
            return None
        self._reset()
        self.in_speech = True
        self.voiced_ms = self.length_ms = voiced_ms
        return Endpoint.STARTED

    def _continue(self, voiced: bool) -> Endpoint | None:
        frame_ms = self._options.frame_ms
        self.length_ms += frame_ms
        if voiced:
            self.voiced_ms += frame_ms
            self._voiced_run_ms += frame_ms
        else:
            self._voiced_run_ms = 0
        if self._voiced_run_ms >= self._options.resume_ms or (voiced and self.silence_ms == 0):
            return self._speak_on()
        self.silence_ms += frame_ms
        if self.silence_ms >= self._options.end_ms:
            return self._end()
        if not self.paused and self.silence_ms >= self._options.pause_ms:
            self.paused = True
            return Endpoint.PAUSED
        return self._cut_if_too_long()

    def _speak_on(self) -> Endpoint | None:
        self.silence_ms = 0
        if self.paused:
            self.paused = False
            return Endpoint.RESUMED
        return self._cut_if_too_long()

    def _cut_if_too_long(self) -> Endpoint | None:
        return self._end() if self.length_ms >= self._options.most_ms else None

    def _end(self) -> Endpoint:
        words = self.voiced_ms >= self._options.least_voiced_ms
        self._reset()
        return Endpoint.ENDED if words else Endpoint.DISCARDED
