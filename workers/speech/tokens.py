"""Whisper's byte-level tokens to text and back, without a tokenizer library. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import cache

START = "<|startoftranscript|>"
BEFORE = "<|startofprev|>"
NO_TIMESTAMPS = "<|notimestamps|>"


def decode(tokens: Iterable[str]) -> str:
    """The text of generated tokens; special tokens are left out, broken UTF-8 is replaced."""
    known = _bytes_of_letters()
    plain = (token for token in tokens if not token.startswith("<|"))
    raw = bytes(known[letter] for token in plain for letter in token if letter in known)
    return raw.decode("utf-8", errors="replace").strip()


def encode(text: str, vocabulary: Container[str]) -> list[str]:
    """Tokens that spell `text`, longest first: for prompts, where any spelling will do."""
    letters = _letters_of_bytes()
    tokens: list[str] = []
    for word in text.split():
        rest = "".join(letters[byte] for byte in f" {word}".encode())
        while rest:
            size = next(n for n in range(len(rest), 0, -1) if n == 1 or rest[:n] in vocabulary)
            tokens.append(rest[:size])
            rest = rest[size:]
    return tokens


@cache
def _letters_of_bytes() -> dict[int, str]:
    """Each byte as the printable letter that GPT-2's vocabulary writes it with."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in printable}
    others = [byte for byte in range(256) if byte not in letters]
    letters.update({byte: chr(0x100 + n) for n, byte in enumerate(others)})
    return letters


@cache
def _bytes_of_letters() -> dict[str, int]:
    return {letter: byte for byte, letter in _letters_of_bytes().items()}
