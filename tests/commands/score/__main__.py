"""`make commands PROVIDER=local,anthropic`: the score table of each, on the commands of the set.

`anthropic+local` lets the grammar answer what it is sure of. `LEAST=85` makes the run fail below
that score in percent or with an invented success, `ONLY=add` says one kind or command only
(`recorded`: the forty as they were heard), `AT_ONCE=4` that many calls side by side, `HELD=1` tells
what went wrong in the held-back part as well.
"""

from __future__ import annotations

import asyncio
import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
# Nothing is said on the way but what this prints.
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django
from django.core.management import call_command

from convonet import env


def main() -> int:
    django.setup()
    from tests.commands.score.run import Unavailable

    try:
        return _run()
    except Unavailable as error:
        sys.exit(str(error))


def _run() -> int:
    from tests.commands.score import recorded, run, spoken, table

    names = [name.strip() for name in env.text("PROVIDER", "local").split(",") if name.strip()]
    agents = {name: run.agent_of(name) for name in names}
    only, at_once = env.text("ONLY", ""), env.integer("AT_ONCE", 1, least=1)
    commands = [one for one in spoken.commands() if only in ("", one.kind, one.id)]
    commands += [one for one in recorded.commands() if only in (one.kind, one.id)]
    if not commands:
        sys.exit(f"There is no command or kind {only!r}.")
    call_command("migrate", verbosity=0)
    columns = []
    for name, agent in agents.items():
        columns.append(asyncio.run(run.score(name, agent, commands, at_once=at_once, done=_tick)))
    print(file=sys.stderr)
    shown = env.flag("HELD") or only
    parts = [*spoken.PARTS, recorded.KIND] if shown else spoken.PARTS[:1]
    for column in columns:
        print(f"{column.name}\n{table.failures(column, parts=parts)}\n")
    print(table.table(columns))
    least = env.integer("LEAST", 0)
    return int(any(100 * one.score < least or (least and one.invented) for one in columns))


def _tick(result: object) -> None:
    print(".", end="", flush=True, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
