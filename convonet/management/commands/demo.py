"""Plays the recorded commands to the running server and says what became of each."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tzlocal import get_localzone_name

from convonet.caller import CallFailed
from convonet.demo.lines import ByBrowser, ByPhone, Way
from convonet.demo.lines import Command as Spoken
from convonet.demo.run import Result, commands_of, heading, play, summary, table
from convonet.phone_caller import Server, configured_server

RECORDINGS = settings.BASE_DIR / "tests" / "audio"
LEAST_SPOKEN, LEAST_TYPED = 0.80, 0.95


class Command(BaseCommand):
    help = "Play the spoken and typed commands to the running server and check the database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--audio", type=Path, default=RECORDINGS, help="folder of recordings")
        parser.add_argument("--calls", type=int, default=2, help="calls at a time")
        parser.add_argument("--url", help="ws://host:port/ws/call of the server")
        parser.add_argument("--time-zone", default="", help="the callers' zone (default: yours)")
        parser.add_argument("--only", help="numbers of commands, e.g. 3,17,22")
        parser.add_argument(
            "--phone", action="store_true", help="say them on a simulated telephone, type none"
        )
        parser.add_argument("--write", type=Path, help="write the tables to this file (Markdown)")

    def handle(self, *args: Any, **options: Any) -> None:
        zone = ZoneInfo(options["time_zone"] or get_localzone_name() or "UTC")
        now = timezone.now().astimezone(zone)
        only = {int(number) for number in (options["only"] or "").split(",") if number}
        sections = [heading(now, options["calls"])]
        enough = True
        for kind, least, way in self._ways(options, zone):
            commands = commands_of(options["audio"], typed=kind == "typed")
            self.stdout.write(f"\n{kind.capitalize()}: {len(only) or len(commands)} commands")
            results = self._play(commands, only, way, zone, options["calls"])
            sections += [f"## {kind.capitalize()}", "\n".join(summary(results)), table(results)]
            for line in summary(results):
                self.stdout.write(f"  {line}")
            right = sum(result.right for result in results) / len(results)
            enough = enough and right >= least and not any(r.claimed for r in results)
        if options["write"]:
            options["write"].write_text(
                "# The forty commands, played\n\n" + "\n\n".join(sections) + "\n"
            )
        if not enough:
            raise CommandError("Fewer commands were right than promised, or a claim was wrong.")

    def _ways(self, options: dict[str, Any], zone: ZoneInfo) -> list[tuple[str, float, Way]]:
        """What is played, the least share to be right, and how the server is reached."""
        if options["phone"]:
            return [("by phone", LEAST_SPOKEN, ByPhone(_phone(), zone))]
        browser = ByBrowser(options["url"] or f"ws://127.0.0.1:{settings.PORT}/ws/call", zone)
        return [("typed", LEAST_TYPED, browser), ("spoken", LEAST_SPOKEN, browser)]

    def _play(
        self, commands: list[Spoken], only: set[int], way: Way, zone: ZoneInfo, calls: int
    ) -> list[Result]:
        chosen = [c for c in commands if not only or c.number in only or c.number == 38]
        played = asyncio.run(play(chosen, way=way, zone=zone, calls=calls, report=self._report))
        return [r for r in played if not only or r.command.number in only]

    def _report(self, result: Result) -> None:
        mark = "ok" if result.right else "NO"
        times = result.timings_ms.get("first_audio", "-")
        self.stdout.write(f"  {mark}  {result.command.label:9} {times:>5} ms  {result.heard}")
        if result.wrong or result.claimed:
            claim = " (claims a change there is none of)" if result.claimed else ""
            self.stdout.write(f"      {result.wrong}{claim}: {result.reply}")


def _phone() -> Server:
    try:
        return configured_server()
    except CallFailed as error:
        raise CommandError(str(error)) from None
