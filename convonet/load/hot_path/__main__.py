"""`python -m convonet.load.hot_path`: the tables of docs/hot_path.md."""

from __future__ import annotations

import argparse
import json
import sys

from convonet.load.hot_path import layers, servers

LAYERS = "| layer | µs a message |\n| --- | --- |\n"
SERVERS = (
    "| server | its application | as it comes: µs a message | % of a core a call "
    "| ours: µs | % |\n| --- | --- | --- | --- | --- | --- |\n"
)


def main() -> int:
    parser = argparse.ArgumentParser("python -m convonet.load.hot_path", description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=8, help="of each of the eight runs")
    parser.add_argument("--json", action="store_true", help="the figures instead of tables")
    options = parser.parse_args()
    told: dict[str, object] = {"layers": (found := layers.measure())}
    sys.stderr.write("layers measured\n")
    costs: dict[tuple[str, str, str], servers.Cost] = {}
    for server in ("daphne", "uvicorn"):
        for path in ("/nothing", "/gate"):
            for kind in ("plain", "ours"):
                cost = servers.measure(
                    server, kind, path, calls=options.calls, seconds=options.seconds
                )
                costs[server, path, kind] = cost
                sys.stderr.write(f"{server} {path} {kind}: {cost}\n")
    told["servers"] = {" ".join(key): cost.microseconds for key, cost in costs.items()}
    sys.stdout.write(json.dumps(told, indent=1) if options.json else _tables(found, costs))
    return 0


def _tables(found: dict[str, float], costs: dict[tuple[str, str, str], servers.Cost]) -> str:
    rows = "".join(f"| {layer} | {took:.2f} |\n" for layer, took in found.items())
    text = LAYERS + rows + "\n" + SERVERS
    for server in ("daphne", "uvicorn"):
        for path, does in (("/nothing", "takes and forgets"), ("/gate", "through the voice gate")):
            cells = []
            for kind in ("plain", "ours"):
                cost = costs[server, path, kind]
                cells += [f"{cost.microseconds:.1f}", f"{cost.percent_of_a_core:.2f}"]
            text += f"| {server} | {does} | {' | '.join(cells)} |\n"
    return text


if __name__ == "__main__":
    sys.exit(main())
