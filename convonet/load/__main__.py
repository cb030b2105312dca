"""`make bench`: the whole stack under calls, with what it takes and where its limit is."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from convonet.load import plan, report
from convonet.load.cgroup import NoGroup
from convonet.load.run import Run
from convonet.overhead.product import ROOT, NotMeasured

BEGIN, END = "<!-- bench: {} -->", "<!-- end of {} -->"


def main() -> int:
    options = _options()
    # As after Ctrl-C: everything that was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        chosen = _plan(options)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    began = time.monotonic()
    minutes = plan.seconds_of(chosen) / 60
    _say(began, f"{plan.told(chosen.counts)} calls, about {minutes:.0f} minutes.")
    try:
        told = Run(chosen, lambda sentence: _say(began, sentence)).measure()
    except (NotMeasured, NoGroup) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    _keep(told, options)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make bench", description=__doc__)
    default = plan.Plan()
    parser.add_argument("--calls", default=",".join(map(str, plan.COUNTS)), help="one stage each")
    parser.add_argument("--browser", type=int, default=0, help="percent of the calls")
    parser.add_argument("--listen", type=float, default=default.listen, help="seconds, silent")
    parser.add_argument("--seconds", type=float, default=default.speak, help="talking, per stage")
    parser.add_argument("--every", type=float, default=default.every, help="seconds, each caller")
    parser.add_argument("--idle", type=float, default=default.idle, help="seconds, no call")
    parser.add_argument("--warm", type=float, default=default.warm, help="seconds, first calls")
    parser.add_argument("--after", type=float, default=default.after, help="seconds, at the end")
    parser.add_argument("--think", type=float, default=default.think, help="seconds, the model")
    parser.add_argument("--tools", type=int, default=default.tool_percent, help="percent of turns")
    parser.add_argument("--local", action="store_true", help="the product's own ears and voice")
    parser.add_argument("--cgroup", metavar="SIZE", help="memory limit: 512M, 1G, 2G; needs root")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings")
    parser.add_argument("--json", type=Path, help="file; by default one in var/bench")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables in, by --name")
    parser.add_argument("--name", default="latest", help="of the run, where --write finds it again")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> plan.Plan:
    """Raises ValueError with a sentence."""
    return plan.Plan(
        counts=plan.counts_of(options.calls),
        browser_percent=max(0, min(100, options.browser)),
        listen=options.listen,
        speak=options.seconds,
        every=options.every,
        idle=options.idle,
        warm=options.warm,
        after=options.after,
        think=options.think,
        tool_percent=max(0, min(100, options.tools)),
        local=options.local,
        limit_bytes=plan.size_of(options.cgroup) if options.cgroup else 0,
        settings=tuple(map(plan.setting_of, options.settings)),
    )


def _say(began: float, sentence: str) -> None:
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    sys.stderr.write(f"{minutes:2d}:{seconds:02d}  {sentence}\n")
    sys.stderr.flush()


def _keep(told: dict[str, Any], options: argparse.Namespace) -> None:
    name = f"{told['at'].replace(':', '')[:17]}.json"
    file = options.json or ROOT / "var" / "bench" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told, indent=1) + "\n")
    table = report.markdown(told)
    sys.stdout.write(table)
    if options.write:
        text = options.write.read_text() if options.write.exists() else ""
        options.write.write_text(written(text, options.name, table))
    sys.stderr.write(f"Figures: {file}\n")


def written(text: str, name: str, table: str) -> str:
    """`text` with the table in the place of the last run of that name, else behind everything."""
    begin, end = BEGIN.format(name), END.format(name)
    block = f"{begin}\n{table}{end}"
    if begin in text and end in text:
        before, _, rest = text.partition(begin)
        return before + block + rest.partition(end)[2]
    return f"{text.rstrip()}\n\n{block}\n".lstrip()


if __name__ == "__main__":
    sys.exit(main())
