"""`make overhead`: what the platform adds to a turn, leg by leg, with calls in parallel."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convonet import stopwatch
from convonet.overhead import legs, processes, report
from convonet.overhead.product import ROOT, NotMeasured, product

RECORDING = ROOT / "tests" / "audio" / "10-woman.wav"


def main() -> int:
    options = _options()
    try:
        figures = measure(options)
    except NotMeasured as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")
    sys.stdout.write(report.table(figures))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make overhead", description=__doc__)
    parser.add_argument("--calls", type=int, default=10, help="in parallel")
    parser.add_argument("--turns", type=int, default=20, help="of each call")
    # Connections, caches, the first turns of the workers' children.
    parser.add_argument("--warm", type=int, default=3, help="turns of each call before it counts")
    parser.add_argument("--tool", action="store_true", help="one tool call in each turn")
    parser.add_argument("--json", help="file to write the figures to")
    parser.add_argument("--var", help="directory of the product, kept; default: one that goes")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Start a product, drive it, stop it; raises NotMeasured."""
    with ExitStack() as stack:
        made = options.var or stack.enter_context(tempfile.TemporaryDirectory(prefix="overhead-"))
        var_dir = Path(made).resolve()
        var_dir.mkdir(parents=True, exist_ok=True)
        marks = var_dir / "marks"
        marks.unlink(missing_ok=True)
        started = stack.enter_context(product(var_dir, _stand_ins(marks, tool=options.tool)))
        _drive(started.environment, options.calls, options.warm)
        before = processes.cpu_seconds(started.launcher)
        driven = _drive(started.environment, options.calls, options.turns)
        after = processes.cpu_seconds(started.launcher)
        ways = legs.whole(legs.read(marks.read_text().splitlines()), driven["answered"])
    if not ways:
        raise NotMeasured("No turn was answered.")
    late = driven["late_ms"]
    return {
        "calls": options.calls,
        "tool": options.tool,
        "seconds": driven["seconds"],
        "turns": len(ways),
        "unanswered": driven["unanswered"],
        "driver": {
            "cpu_seconds": driven["cpu_seconds"],
            "late_ms": {"median": legs.quantile(late, 0.5), "p99": legs.quantile(late, 0.99)},
        },
        "legs": [asdict(leg) for leg in legs.legs(ways)],
        "cpu_ms_per_turn": {
            name: 1000 * (after[name] - before.get(name, 0.0)) / len(ways) for name in after
        },
    }


def _stand_ins(marks: Path, *, tool: bool) -> dict[str, str]:
    return {
        stopwatch.VARIABLE: str(marks),
        "LANGUAGE_MODEL": f"convonet.overhead.model.{'Acting' if tool else 'Answering'}",
        "TRANSCRIBER": "convonet.overhead.engines.Ear",
        "SYNTHESIZER": "convonet.overhead.engines.Mouth",
        "MAX_CALLS": "1000",
        "MAX_CALLS_PER_USER": "1000",
    }


def _drive(environment: Mapping[str, str], calls: int, turns: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "convonet.overhead.driver", str(calls), str(turns)]
    done = subprocess.run(
        [*command, str(RECORDING)],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "convonet.settings"},
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise NotMeasured("The callers could not call.")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


if __name__ == "__main__":
    sys.exit(main())
