"""Headless Chromium with a recording as its microphone."""

from __future__ import annotations

import math
import shutil
import struct
import wave
from pathlib import Path

from playwright.sync_api import Browser, Playwright

EXECUTABLE = shutil.which("chromium") or "/usr/bin/chromium"
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)


def launch(playwright: Playwright, microphone: Path | None, *, allowed: bool = True) -> Browser:
    """`microphone` is a WAV played once as the caller's voice; None is the browser's own beep."""
    flags = list(_FLAGS)
    if microphone:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    if allowed:
        flags.append("--use-fake-ui-for-media-stream")
    return playwright.chromium.launch(executable_path=EXECUTABLE, args=flags)


def write_tone(path: Path, *, hertz: float, seconds: float, rate_hz: int = 48_000) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(tone_pcm16(hertz=hertz, seconds=seconds, rate_hz=rate_hz))
    return path


def tone_pcm16(*, hertz: float, seconds: float, rate_hz: int = 16_000) -> bytes:
    count = int(seconds * rate_hz)
    step = 2 * math.pi * hertz / rate_hz
    return struct.pack(f"<{count}h", *(int(12_000 * math.sin(step * i)) for i in range(count)))
