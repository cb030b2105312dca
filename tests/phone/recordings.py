"""Recordings as callers on the telephone say them."""

from __future__ import annotations

from convonet.far_end.line import Speech
from convonet.far_end.sound import speech_of
from tests.stack import ROOT

VOICES = ("man", "woman")
COMMANDS = 40


def utterances(order: int) -> tuple[Speech, Speech]:
    """A command to begin with, and another one to interrupt with, of either voice in turn."""
    voice = VOICES[order % 2]
    files = (f"{(order + shift) % COMMANDS:02d}-{voice}.wav" for shift in (3, 17))
    first, second = (speech_of(ROOT / "tests/audio" / file) for file in files)
    return first, second
