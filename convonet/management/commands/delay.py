"""Measures the running server: the delay of spoken turns by stage, and each process's memory."""

from __future__ import annotations

import asyncio
import json
import statistics
from argparse import ArgumentParser
from typing import Any

import psutil
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from convonet.caller import Exchange, Utterance, place_call
from convonet.recordings import read_wav, speech_end_ms, speech_start_ms
from todo import demo
from voice import tickets

RECORDINGS = settings.BASE_DIR / "tests" / "audio"
# Commands that change nothing, so that a run can be repeated: reads of the list.
READS = ("01", "07", "10", "11", "17", "24", "27", "29", "34")
# By what their command lines hold, the first that fits.
ROLES = {
    "valkey-server": "broker",
    "redis-server": "broker",
    "convonet.front_door": "web",
    "convonet: web": "web",
    "flower": "flower",
    "speech@": "speech worker",
    "agent@": "agent worker",
    "manage.py mcp": "mcp",
    "convonet: mcp": "mcp",
}
STAGES = ("endpoint", "transcript", "first_token", "first_audio")


class Command(BaseCommand):
    help = "Measure spoken turns against the running server, and its memory."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rounds", type=int, default=2, help="how often each is said")
        parser.add_argument("--json", action="store_true", help="one object on one line")

    def handle(self, *args: Any, **options: Any) -> None:
        user, _ = get_user_model().objects.get_or_create(username="caller-1")
        demo.reset(user, timezone.now())
        names = [f"{number}-{voice}" for number in READS for voice in ("man", "woman")]
        said = [_utterance(name) for name in names * options["rounds"]]
        url = f"ws://127.0.0.1:{settings.PORT}/ws/call"
        called = asyncio.run(place_call(url, tickets.issue(user.pk), said, time_zone="UTC"))
        answered = [exchange for exchange in called.exchanges if exchange.state == "done"]
        stages, memory = _stages(answered), _memory()
        stops = self._interrupt(url, user.pk, 2 * options["rounds"])
        if options["json"]:
            figures = {"turns": len(answered), "ms": stages, "mb": memory, "stops_ms": stops}
            self.stdout.write(json.dumps(figures))
            return
        self.stdout.write(f"{len(answered)} of {len(said)} spoken turns answered, one at a time")
        self.stdout.write("| ms since end of speech | median | nine in ten |\n|---|---|---|")
        for name, (median, ninth) in stages.items():
            self.stdout.write(f"| {name.replace('_', ' ')} | {median} | {ninth} |")
        self.stdout.write(
            f"\nSpoken over, the reply stopped within {max(stops)} ms (of {len(stops)} times)."
        )
        self.stdout.write("\n| process | MB (PSS) |\n|---|---|")
        for name, size in memory.items():
            self.stdout.write(f"| {name} | {size} |")
        self.stdout.write(f"| all | {round(sum(memory.values()), 1)} |")

    def _interrupt(self, url: str, user_id: int, times: int) -> list[int]:
        """ms from the caller's voice to the server's `clear`, and no audio after that."""
        over = read_wav(RECORDINGS / "17-woman.wav")
        question = _utterance("10-woman")
        question.interruption, question.interruption_start_ms = over, speech_start_ms(over)
        said = [question, Utterance()] * times
        called = asyncio.run(place_call(url, tickets.issue(user_id), said, time_zone="UTC"))
        late = sum(exchange.late_bytes for exchange in called.exchanges)
        if late:
            raise CommandError(f"{late} bytes of reply audio left after the reply was stopped.")
        return [e.stopped_ms for e in called.exchanges if e.stopped_ms is not None]


def _utterance(name: str) -> Utterance:
    pcm = read_wav(RECORDINGS / f"{name}.wav")
    return Utterance(pcm=pcm, speech_end_ms=speech_end_ms(pcm))


def _stages(answered: list[Exchange]) -> dict[str, tuple[int, int]]:
    measured: dict[str, tuple[int, int]] = {}
    for stage in STAGES:
        values = [
            times[stage]
            for e in answered
            if stage in (times := e.server_ms if stage == "endpoint" else e.timings_ms)
        ]
        if len(values) > 1:
            ninth = statistics.quantiles(values, n=10)[-1]
            measured[stage] = round(statistics.median(values)), round(ninth)
    return measured


def _memory() -> dict[str, float]:
    """PSS by role of the launcher and every process below it, in MB (10^6 bytes)."""
    roles: dict[str, float] = {}
    launcher = psutil.Process(json.loads((settings.VAR_DIR / "run.json").read_text())["pid"])
    for process in (launcher, *launcher.children(recursive=True)):
        role = _role(" ".join(process.cmdline()))
        size = process.memory_full_info().pss / 1e6
        roles[role] = round(roles.get(role, 0.0) + size, 1)
    return dict(sorted(roles.items()))


def _role(line: str) -> str:
    return next((role for word, role in ROLES.items() if word in line), "launcher")
