"""The tunables of a call, each with its unit in the name; built once in `voice.wiring`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    frame_ms: int = 20
    """Slice of audio given to the voice gate at a time; it accepts 10, 20 or 30."""
    aggressiveness: int = 2
    """Voice gate mode, 0 (hears speech everywhere) to 3 (strict)."""
    least_peak: int = 250
    """Quietest sample peak of a voiced frame (16-bit): the gate alone calls faint hiss speech."""
    start_ms: int = 100
    """Voiced audio within `start_window_ms` that starts an utterance."""
    start_window_ms: int = 160
    resume_ms: int = 60
    """Unbroken voiced audio that ends a silence; shorter is a click."""
    pause_ms: int = 240
    """Silence after which the utterance so far is recognised, in case it was all."""
    end_ms: int = 600
    """Silence that ends the utterance."""
    lead_in_ms: int = 300
    """Audio kept from before the start: the gate misses soft first consonants."""
    least_voiced_ms: int = 160
    """Utterances with less voice than this are coughs and clicks."""
    most_ms: int = 30_000
    """Utterances are cut here; the recogniser's window is as long."""

    def __post_init__(self) -> None:
        if self.frame_ms not in (10, 20, 30):
            raise ValueError("frame_ms must be 10, 20 or 30")
        if not self.resume_ms < self.pause_ms < self.end_ms < self.most_ms:
            raise ValueError("resume_ms < pause_ms < end_ms < most_ms must hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayoutOptions:
    ahead_ms: int = 2000
    """Audio sent but not yet heard, at most."""
    message_ms: int = 100
    """Audio in one message to the caller."""
    read_ms: int = 500
    """Audio read from the store at a time, and kept until it leaves."""
    stalled_seconds: float = 10.0
    """A caller that acknowledges nothing for so long, with audio waiting, is not reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    endpoint: EndpointOptions = field(default_factory=EndpointOptions)
    playout: PlayoutOptions = field(default_factory=PlayoutOptions)
    most_seconds: float = 1800.0
    """A call ends politely after this."""
    start_seconds: float = 10.0
    """A socket that has not said `start` by then is closed."""
    turn_seconds: float = 40.0
    """The caller gets an apology when a turn has not been answered by then."""
    waiting_turns: int = 4
    """Turns spoken while one is being answered; more are refused aloud."""
    flood_seconds: float = 10.0
    """Audio sent faster than real time is dropped past 2 s and ends the call past this."""
    messages_per_second: int = 40
    """Text messages; the caller's client sends about ten."""
    text_characters: int = 500
