"""Measures what the contract's rows need, one after the other; what was measured is kept.

Each run is a file in the directory, so that whoever was interrupted goes on where they were.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from convonet.load import contract, plan, subjects
from convonet.load.contract import Wanted
from convonet.load.plan import Plan
from convonet.load.run import Run

Measure = Callable[[Plan, subjects.Subject], dict[str, Any]]
# Beside a longer run that was kept, a shorter one need not be made.
Say = Callable[[str], None]


class Contract:
    """`share` of the time that the rows ask for; `again` measures what is there anew."""

    def __init__(
        self,
        directory: Path,
        say: Say,
        *,
        share: float = 1.0,
        again: bool = False,
        peers_directory: Path,
        measure: Measure | None = None,
    ) -> None:
        self._directory, self._say = directory, say
        self._share, self._again, self._peers = share, again, peers_directory
        self._measure = measure or (lambda chosen, one: Run(chosen, one, say).measure())

    def measure(self, rows: Sequence[str], servers: Sequence[str]) -> dict[str, dict[str, Any]]:
        """By the runs' names; raises NotMeasured, NoGroup, and what was measured is kept."""
        self._directory.mkdir(parents=True, exist_ok=True)
        runs = contract.wanted(rows, servers)
        missing = [one for one in runs if self._again or self._kept(one) is None]
        minutes = sum(plan.seconds_of(self._plan(one)) for one in missing) / 60
        self._say(f"{len(missing)} of {len(runs)} runs to make, about {minutes:.0f} minutes.")
        told: dict[str, dict[str, Any]] = {}
        for one in runs:
            kept = None if self._again else self._kept(one)
            told[one.name] = kept if kept is not None else self._made(one)
        return told

    def _made(self, one: Wanted) -> dict[str, Any]:
        self._say(f"{one.name}:")
        (subject,) = subjects.named([one.subject])
        told = self._measure(self._plan(one), subject)
        told["hurried"] = self._share < 1
        self._file(one).write_text(json.dumps(told, indent=1) + "\n")
        # The next one starts on a machine that is at rest again.
        time.sleep(min(5.0, 5.0 * self._share))
        return told

    def _kept(self, one: Wanted) -> dict[str, Any] | None:
        """None for one that was made in less time than is asked for now."""
        try:
            told: dict[str, Any] = json.loads(self._file(one).read_text())
        except (OSError, ValueError):
            return None
        return told if told["plan"]["speak"] >= self._plan(one).speak else None

    def _plan(self, one: Wanted) -> Plan:
        chosen = replace(one.plan, peers_directory=self._peers)
        return contract.hurried(chosen, self._share)

    def _file(self, one: Wanted) -> Path:
        return self._directory / f"{one.name}.json"
