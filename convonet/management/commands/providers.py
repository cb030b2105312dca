"""Says in the terminal who hears, thinks and speaks for this server, and what is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils import timezone

from convonet import configured
from convonet.configured import Candidate, Stage
from voice import usage
from voice.usage import Figures
from voice.uses_told import count, seconds, summed

DAY = timedelta(days=1)
ENDING = """
1 is asked first, the next ones when it fails; - is not asked. Name providers in these variables,
separated by commas, and give each its key. docs/providers.md tells more."""


class Command(BaseCommand):
    help = "Print which providers are configured, which could be, what they lack, and a day's use."
    # What is wrong with the configuration is what this tells.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        figures = _figures()
        stages = configured.stages()
        width = max(len(one.label) for stage in stages for one in stage.candidates)
        for stage in stages:
            names = ",".join(one.name for one in stage.configured)
            self.stdout.write(f"{stage.label} ({stage.variable}={names})")
            for one in stage.candidates:
                self.stdout.write(_line(stage, one, width, figures))
        self.stdout.write(ENDING)
        if figures is None:
            self.stdout.write("The database is not prepared yet: what was asked is not known.")


def _figures() -> dict[tuple[str, str], Figures] | None:
    """Of the last day; None when there is no database to ask."""
    try:
        asked = usage.figures(timezone.now() - DAY)
    except DatabaseError:
        return None
    return {(one.stage, one.provider): one for one in asked}


def _line(
    stage: Stage, one: Candidate, width: int, figures: dict[tuple[str, str], Figures] | None
) -> str:
    # One named by a dotted path is told of by its label.
    names = ((stage.name, one.name), (stage.name, one.label))
    used = next((figures[name] for name in names if figures and name in figures), None)
    place = str(one.place or "-")
    told = "; ".join(part for part in (one.lacks.rstrip(".") or "ready", _use(used)) if part)
    return f"  {place}  {one.label:<{width}}  {one.name:<10}  {told}"


def _use(used: Figures | None) -> str:
    if used is None:
        return ""
    parts = [
        f"{count(used.asked, 'question')} in the last day",
        f"{used.failed:,} failed" if used.failed else "",
        f"half answered within {seconds(used.whole.median)}" if used.whole else "",
        summed(used.cost_micro_usd, used.unpriced),
    ]
    return ", ".join(part for part in parts if part)
