"""The caller's audio, from socket bytes to utterances: voice gate, endpointing, bounded buffer.

One `Listener` per call, called for every message of the socket: keep it short. The buffer is the
only inbound audio in the web process and holds at most one utterance, in the call's own format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import _webrtcvad

from voice import g711
from voice.audio import AudioFormat
from voice.endpointing import Endpoint, Endpointer
from voice.options import EndpointOptions

# A speech-to-speech model's own rate, of which the gate gets a third.
THREE_TIMES_HZ = 24_000


@dataclass(frozen=True, slots=True)
class Heard:
    """A transition; `audio` is the utterance so far for PAUSED and ENDED, else empty.

    `silence_ms` is how long ago the caller's last voiced frame was.
    """

    endpoint: Endpoint
    audio: bytes = b""
    silence_ms: int = 0


class Listener:
    """Feeds a call's audio to WebRTC's voice gate frame by frame at the call's own rate.

    Raises ValueError for a rate the gate does not take: it has 8, 16, 32 and 48 kHz, and hears
    a third of 24.
    """

    def __init__(self, audio_format: AudioFormat, options: EndpointOptions) -> None:
        thirds = audio_format.rate_hz == THREE_TIMES_HZ
        self._rate_hz = audio_format.rate_hz // (3 if thirds else 1)
        samples = self._rate_hz * options.frame_ms // 1000
        if not _webrtcvad.valid_rate_and_frame_length(self._rate_hz, samples):
            raise ValueError(f"the voice gate does not take {audio_format}")
        self._options = options
        self._format = audio_format
        self._gate = _webrtcvad.create()
        _webrtcvad.init(self._gate)
        _webrtcvad.set_mode(self._gate, options.aggressiveness)
        self._endpointer = Endpointer(options)
        self._frame_bytes = audio_format.bytes_of(options.frame_ms)
        self._frame_samples = samples
        self._for_gate = _conversion(audio_format, thirds=thirds)
        self._lead_in_bytes = audio_format.bytes_of(options.lead_in_ms)
        self._most_unsaid = 2 * self._lead_in_bytes
        self._buffer = bytearray()
        self._rest = b""

    @property
    def in_speech(self) -> bool:
        return self._endpointer.in_speech

    @property
    def said_bytes(self) -> int:
        """How much of the utterance being spoken there is; 0 without one."""
        return len(self._buffer) if self._endpointer.in_speech else 0

    def said(self, start: int, most: int) -> bytes:
        """At most so many bytes of it."""
        return bytes(self._buffer[start : start + most])

    def feed(self, audio: bytes) -> Iterable[Heard]:
        """What follows from it; of more than one frame each before the next is heard."""
        if self._rest or len(audio) != self._frame_bytes:
            return self._frames(audio)
        heard = self._frame(audio)
        return (heard,) if heard is not None else ()

    def _frames(self, audio: bytes) -> Iterator[Heard]:
        data = self._rest + audio if self._rest else audio
        size = self._frame_bytes
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        for at in range(0, whole, size):
            heard = self._frame(data[at : at + size])
            if heard is not None:
                yield heard

    def _frame(self, frame: bytes) -> Heard | None:
        endpointer, buffer = self._endpointer, self._buffer
        pcm = self._for_gate(frame)
        # The gate first, in every case: it learns the line's noise from what it is given.
        voiced = (
            _webrtcvad.process(self._gate, self._rate_hz, pcm, self._frame_samples)
            and g711.peak(pcm) >= self._options.least_peak
        )
        before_ms = endpointer.silence_ms
        buffer += frame
        endpoint = endpointer.feed(voiced)
        if endpoint is not None:
            return self._heard(endpoint, before_ms + self._options.frame_ms)
        if len(buffer) > self._most_unsaid and not endpointer.in_speech:
            del buffer[: -self._lead_in_bytes]
        return None

    def finish_if_paused(self) -> Heard | None:
        """End an utterance whose speaker had paused; half a sentence is never acted on."""
        return self.finish() if self._endpointer.paused else None

    def finish(self) -> Heard | None:
        """End a running utterance at once (mute, hang-up)."""
        silence_ms = self._endpointer.silence_ms
        endpoint = self._endpointer.end_now()
        return self._heard(endpoint, silence_ms) if endpoint else None

    def _heard(self, endpoint: Endpoint, silence_ms: int) -> Heard:
        match endpoint:
            case Endpoint.STARTED:
                window = self._format.bytes_of(self._options.start_window_ms)
                del self._buffer[: -(self._lead_in_bytes + window)]
                return Heard(endpoint)
            case Endpoint.PAUSED:
                return Heard(endpoint, bytes(self._buffer), silence_ms)
            case Endpoint.ENDED:
                audio = bytes(self._buffer)
                del self._buffer[: -self._lead_in_bytes]
                return Heard(endpoint, audio, silence_ms)
            case Endpoint.DISCARDED:
                del self._buffer[: -self._lead_in_bytes]
                return Heard(endpoint, silence_ms=silence_ms)
            case Endpoint.RESUMED:
                return Heard(endpoint)


def _conversion(audio_format: AudioFormat, *, thirds: bool) -> Callable[[bytes], bytes]:
    """What makes 16-bit samples at a rate of the gate's of a call's own audio."""
    if audio_format.encoding == "mulaw":
        return g711.decode
    return g711.third if thirds else bytes
