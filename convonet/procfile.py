"""Reads the Procfile: one `name: shell command` a line, and what a plain command would run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")
_SETTING = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\}|\{(\w+):-([^}$]*)\})")
# What a shell takes as it stands.
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")


@dataclass(frozen=True, slots=True)
class Command:
    """Settings before the command, and its words: `NAME=VALUE … exec program argument …`."""

    settings: Mapping[str, str]
    words: tuple[str, ...]


def read(path: Path) -> dict[str, str]:
    """The commands by name, in the file's order; raises ValueError for a line that is neither."""
    commands = {}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{path.name} has a line that is no process: {line!r}")
        commands[match[1]] = match[2]
    return commands


def parse(line: str, environment: Mapping[str, str]) -> Command | None:
    """What a shell would run for this line, or None where that takes a shell to say."""
    words = [_expanded(word, environment) for word in line.split()]
    settings: dict[str, str] = {}
    while words and words[0] is not None and (setting := _SETTING.fullmatch(words[0])):
        settings[setting[1]] = setting[2]
        words.pop(0)
    plain = [word for word in words if word is not None]
    if len(plain) < len(words) or plain[:1] != ["exec"] or len(plain) < 2:
        return None
    return Command(settings, tuple(plain[1:]))


def _expanded(word: str, environment: Mapping[str, str]) -> str | None:
    """None when the word is not one plain word after its variables are put in."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[3]
        return environment.get(name, "") or match[4] or ""

    if not _PLAIN.fullmatch(_VARIABLE.sub("", word)):
        return None
    expanded = _VARIABLE.sub(value, word)
    return expanded if expanded and _PLAIN.fullmatch(expanded) else None
