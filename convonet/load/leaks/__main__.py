"""`make leaks`: 1,000 short calls and 10,000 turns, and whether anything is left of them."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from convonet.load import plan
from convonet.load.__main__ import written
from convonet.load.cgroup import NoGroup
from convonet.load.leaks import report
from convonet.load.leaks.run import Leaks, Run
from convonet.overhead.product import ROOT, NotMeasured

# Of the whole, for who wants to know soon.
QUICK = {"calls": 60, "turns": 300, "rounds": 3, "rest": 3.0}


def main() -> int:
    options = _options()
    # As after Ctrl-C: everything that was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        told = Run(_plan(options), lambda sentence: _say(began, sentence)).measure()
    except (NotMeasured, NoGroup, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    _keep(told, options)
    return 1 if told["findings"] or told["faults"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make leaks", description=__doc__)
    default = Leaks()
    parser.add_argument("--calls", type=int, help=f"{default.calls}; half by telephone")
    parser.add_argument("--turns", type=int, help=f"{default.turns:,}, typed")
    parser.add_argument("--rounds", type=int, help=f"{default.rounds}; the first warms it up")
    parser.add_argument("--rest", type=float, help=f"{default.rest:.0f} s before each look")
    parser.add_argument("--quick", action="store_true", help="60 calls and 300 turns")
    parser.add_argument("--cgroup", metavar="SIZE", help="memory limit: 512M, 1G, 2G; needs root")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings")
    parser.add_argument("--json", type=Path, help="file; by default one in var/bench")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables in, by --name")
    parser.add_argument("--name", default="leaks", help="of the run, where --write finds it again")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Leaks:
    """Raises ValueError with a sentence."""
    chosen: dict[str, Any] = dict(QUICK) if options.quick else {}
    for name in ("calls", "turns", "rounds", "rest"):
        if getattr(options, name) is not None:
            chosen[name] = getattr(options, name)
    if chosen.get("rounds", 2) < 2:
        raise ValueError("one round warms it up, so there must be two at least")
    return Leaks(
        limit_bytes=plan.size_of(options.cgroup) if options.cgroup else 0,
        settings=tuple(map(plan.setting_of, options.settings)),
        **chosen,
    )


def _say(began: float, sentence: str) -> None:
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    sys.stderr.write(f"{minutes:2d}:{seconds:02d}  {sentence}\n")
    sys.stderr.flush()


def _keep(told: dict[str, Any], options: argparse.Namespace) -> None:
    name = f"leaks-{told['at'].replace(':', '')[:17]}.json"
    file = options.json or ROOT / "var" / "bench" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told, indent=1) + "\n")
    table = report.markdown(told)
    sys.stdout.write(table)
    if options.write:
        text = options.write.read_text() if options.write.exists() else ""
        options.write.write_text(written(text, options.name, table))
    sys.stderr.write(f"Figures: {file}\n")


if __name__ == "__main__":
    sys.exit(main())
