"""`manage.py memory`: the memory of every process, now and as it changes."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from convonet import configured, running
from monitor import client, processes, table
from monitor.board import State
from monitor.lookout import options_from
from monitor.sampler import Sampler
from monitor.snapshot import CLOCK, Snapshot

HOME_AND_REST = "\033[H\033[J"


class Command(BaseCommand):
    help = "Shows the memory of every process of the product, all calls and what went wrong."
    # The checks load every page and admin module.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="show it once and end")
        parser.add_argument("--json", action="store_true", help="once, as JSON, in KiB")
        parser.add_argument("--every", type=float, default=2.0, help="seconds between two looks")

    def handle(self, *args: Any, **options: Any) -> None:
        here = _Here()
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(*here.look())))
            return
        live = not options["once"] and self.stdout.isatty()
        try:
            while True:
                self._show(*here.look(), live=live)
                if not live:
                    return
                time.sleep(max(0.5, options["every"]))
        except KeyboardInterrupt:
            return

    def _show(self, machines: list[Snapshot], state: State | None, *, live: bool) -> None:
        if not any(machine.readings for machine in machines):
            self.stderr.write("Nothing of the product runs here, and no other machine has told.")
            if not live:
                sys.exit(1)
        styled = self.stdout.isatty()
        text = "\n".join(table.lines(machines, state, time.time(), styled=styled))
        told = configured.profile_told()
        self.stdout.write(f"{HOME_AND_REST if live else ''}{text}\n\n{told}")


class _Here:
    """This machine, measured afresh; the others as they last told."""

    def __init__(self) -> None:
        self._host = options_from(settings).name
        launcher = running.launcher(settings.VAR_DIR)
        self._sampler = Sampler(self._host, lambda: processes.measured(processes.found(launcher)))
        self._known = False

    def look(self) -> tuple[list[Snapshot], State | None]:
        state = client.state()
        told = state.snapshots if state else []
        mine = next((one for one in told if one.host == self._host), None)
        if mine is not None and not self._known:
            self._sampler.remember(mine)
            self._known = True
        here = self._sampler.take(CLOCK, state.calls if state else None)
        others = [one for one in told if one.host != self._host]
        return ([here] if here.readings else []) + others, state


def _as_json(machines: list[Snapshot], state: State | None) -> dict[str, Any]:
    return {
        "machines": [asdict(one) | {"size": one.size} for one in machines],
        "calls": state.calls if state else None,
        "counters": state.counters if state else None,
        "endings": [asdict(one) for one in state.endings] if state else None,
    }
