"""`make bench`: the whole stack under calls, with what it takes and where its limit is."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convonet.load import contract, contract_verdict, options, plan, report
from convonet.load.cgroup import NoGroup
from convonet.load.contract_run import Contract
from convonet.load.run import Run
from convonet.overhead.product import ROOT, NotMeasured

BEGIN, END = "<!-- bench: {} -->", "<!-- end of {} -->"


def main() -> int:
    given = options.parser().parse_args()
    # As after Ctrl-C: everything that was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if given.contract is not None:
            rows = contract.rows_of(given.contract)
            return _contract(rows, given)
        chosen, subjects = options.plan_of(given), options.subjects_of(given)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    began = time.monotonic()
    minutes = plan.seconds_of(chosen) * len(subjects) / 60
    _say(began, f"{plan.told(chosen.counts)} calls, about {minutes:.0f} minutes.")
    try:
        runs = [
            Run(chosen, one, lambda sentence: _say(began, sentence)).measure() for one in subjects
        ]
    except (NotMeasured, NoGroup) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    _keep(runs, given)
    return 0


def _contract(rows: Sequence[str], given: argparse.Namespace) -> int:
    began = time.monotonic()
    measuring = Contract(
        given.json or ROOT / "var" / "bench" / "contract",
        lambda sentence: _say(began, sentence),
        share=given.hurry,
        again=given.again,
        peers_directory=given.peers_dir.resolve(),
    )
    try:
        runs = measuring.measure(rows, options.servers_of(given))
    except (NotMeasured, NoGroup) as error:
        sys.stderr.write(f"{error}\nWhat was measured is kept; the same command goes on.\n")
        return 1
    except KeyboardInterrupt:
        return 130
    found = contract_verdict.verdicts(rows, runs)
    judged = contract_verdict.markdown(found)
    groups = contract_verdict.grouped(runs)
    tables = {name: report.headed(contract.TITLES[name], told) for name, told in groups.items()}
    sys.stdout.write("\n".join([judged, *tables.values()]))
    if given.write:
        for name, table in {"contract": judged, **tables}.items():
            _write(given.write, name, table)
    return 3 if any(one.held is False for one in found) else 0


def _say(began: float, sentence: str) -> None:
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    sys.stderr.write(f"{minutes:2d}:{seconds:02d}  {sentence}\n")
    sys.stderr.flush()


def _keep(runs: list[dict[str, Any]], given: argparse.Namespace) -> None:
    name = f"{runs[0]['at'].replace(':', '')[:17]}.json"
    file: Path = given.json or ROOT / "var" / "bench" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(runs, indent=1) + "\n")
    table = report.markdown(runs)
    sys.stdout.write(table)
    if given.write:
        _write(given.write, given.name or "latest", table)
    sys.stderr.write(f"Figures: {file}\n")


def _write(file: Path, name: str, table: str) -> None:
    text = file.read_text() if file.exists() else ""
    file.write_text(written(text, name, table))


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
