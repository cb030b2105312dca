"""`make chaos KILLS=200 SEED=1`, or what an earlier run saw: `python -m tests.chaos DIRECTORY`.

`POSTGRES=1` runs it on a PostgreSQL server of its own, `DATABASE_URL` on the one named.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from convonet import env
from tests.services import postgres_programs, running_postgres
from tests.stack import ROOT, Stack


def main(arguments: list[str]) -> int:
    if arguments:
        return _again(Path(arguments[0]))
    kills, seed = env.integer("KILLS", 30, least=1), env.integer("SEED", 1)
    directory = Path(tempfile.mkdtemp(prefix="convonet-chaos-"))
    with _database() as given:
        given["LANGUAGE_MODEL"] = "tests.chaos.slow_model.SlowCommandModel"
        broken = _run(Stack(directory / "product", given), directory, kills, seed)
    if broken:
        _say(f"To look closer: python -m tests.chaos {directory}")
        return 1
    if not env.flag("KEEP"):
        shutil.rmtree(directory)
    return 0


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """What tells the product and this process of their database; empty for SQLite."""
    if env.flag("POSTGRES"):
        programs = postgres_programs()
        if programs is None:
            sys.exit("POSTGRES=1 needs the PostgreSQL server programs, and none were found.")
        with running_postgres(programs) as url:
            os.environ["DATABASE_URL"] = url
            yield {"DATABASE_URL": url}
    else:
        yield {name: os.environ[name] for name in ("DATABASE_URL",) if os.environ.get(name)}


def _run(stack: Stack, directory: Path, kills: int, seed: int) -> int:
    """Answers the number of violations."""
    _say(f"Starting the product; everything of this run is in {directory}")
    try:
        stack.start()
        _become_part_of(stack)
        from tests.chaos import run

        return run.run(stack, directory, kills=kills, seed=seed, say=_say)
    finally:
        stack.stop()


def _become_part_of(stack: Stack) -> None:
    """This process uses the product's database, broker and key, as `manage.py` beside it would."""
    os.environ.update({name: stack.env[name] for name in ("CONVONET_VAR", "PORT")})
    os.environ.pop("REDIS_URL", None)
    os.environ.pop("SECRET_KEY", None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "convonet.settings"
    os.chdir(ROOT)
    django.setup()


def _again(directory: Path) -> int:
    """Check an earlier run's facts again, and tell the story of each broken turn."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from tests.chaos import checks, facts, report

    attempts, kills, snapshot = facts.load(directory / "facts.json")
    broken = checks.violations(attempts, kills, snapshot)
    _say(report.table(attempts, kills, snapshot))
    _say(report.listed(broken))
    for violation in broken:
        for attempt in attempts:
            if violation.turn and attempt.turn == violation.turn:
                _say(f"\n{violation.rule}: {violation.what}")
                _say(report.story(directory / "events.jsonl", attempt))
    return 1 if broken else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
