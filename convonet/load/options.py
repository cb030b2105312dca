"""The options of `make bench`, and the plan they make."""

from __future__ import annotations

import argparse
from pathlib import Path

from convonet.load import contract, peers, plan, subjects
from convonet.load.subjects import Subject


def parser() -> argparse.ArgumentParser:
    given = argparse.ArgumentParser(
        "make bench", description="Put calls on a whole product of its own, and measure it."
    )
    _whom(given)
    _how(given)
    given.add_argument("--json", type=Path, help="file; by default one in var/bench")
    given.add_argument("--write", type=Path, metavar="FILE", help="put the tables in, by --name")
    given.add_argument("--name", help="of the run, where --write finds it again")
    given.add_argument(
        "--contract",
        nargs="?",
        const=",".join(contract.ROWS),
        metavar="ROWS",
        help=f"measure these of {','.join(contract.ROWS)} (default: all) and judge them;"
        " what was measured before is not measured again",
    )
    given.add_argument("--again", action="store_true", help="with --contract: measure all anew")
    given.add_argument(
        "--hurry", type=float, default=1.0, help="with --contract: share of the times it asks for"
    )
    return given


def _whom(given: argparse.ArgumentParser) -> None:
    default = plan.Plan()
    given.add_argument(
        "--server", help="daphne (default), uvicorn, or both (the default of --contract)"
    )
    given.add_argument(
        "--peers",
        nargs="?",
        const=",".join(subjects.DEFAULT_PEERS),
        metavar="NAMES",
        help=f"measure {', '.join(one.name for one in subjects.PEERS)} beside the product",
    )
    given.add_argument("--peers-dir", type=Path, default=peers.default_directory())
    given.add_argument("--cgroup", metavar="SIZE", help="memory limit: 512M, 1G, 2G; needs root")
    given.add_argument("--local", action="store_true", help="the product's own ears and voice")
    given.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings")
    given.add_argument("--browser", type=int, default=0, help="percent of the calls")
    given.add_argument("--tools", type=int, default=default.tool_percent, help="percent of turns")
    given.add_argument("--think", type=float, default=default.think, help="seconds, the model")


def _how(given: argparse.ArgumentParser) -> None:
    default = plan.Plan()
    given.add_argument("--calls", default=plan.told(plan.COUNTS), help="one stage each; 0: none")
    given.add_argument("--until-limit", action="store_true", help="then more, until it gives way")
    given.add_argument("--listen", type=float, default=default.listen, help="seconds, silent")
    given.add_argument("--seconds", type=float, default=default.speak, help="talking, per stage")
    given.add_argument("--every", type=float, default=default.every, help="seconds, each caller")
    given.add_argument("--idle", type=float, default=default.idle, help="seconds, no call")
    given.add_argument("--warm", type=float, default=default.warm, help="seconds, first calls")
    given.add_argument("--after", type=float, default=default.after, help="seconds, at the end")
    given.add_argument(
        "--runaway", type=float, default=0.0, help="seconds between tools that run away"
    )


def plan_of(given: argparse.Namespace) -> plan.Plan:
    """Raises ValueError with a sentence."""
    return plan.Plan(
        counts=plan.counts_of(given.calls),
        browser_percent=max(0, min(100, given.browser)),
        listen=given.listen,
        speak=given.seconds,
        every=given.every,
        idle=given.idle,
        warm=given.warm,
        after=given.after,
        think=given.think,
        tool_percent=max(0, min(100, given.tools)),
        runaway=given.runaway,
        until_limit=given.until_limit,
        local=given.local,
        limit_bytes=plan.size_of(given.cgroup) if given.cgroup else 0,
        settings=tuple(map(plan.setting_of, given.settings)),
        peers_directory=given.peers_dir.resolve(),
    )


def servers_of(given: argparse.Namespace) -> tuple[str, ...]:
    """Raises ValueError with a sentence."""
    default = ",".join(subjects.SERVERS) if given.contract is not None else subjects.SERVERS[0]
    asked = default if given.server is None else given.server
    return tuple(name for name in asked.split(",") if name)


def subjects_of(given: argparse.Namespace) -> tuple[Subject, ...]:
    """Raises ValueError with a sentence."""
    names = list(servers_of(given))
    if given.peers:
        if given.local or given.runaway or given.browser:
            raise ValueError("peers take phone calls, with stand-ins and without tools, only")
        names += given.peers.split(",")
    return subjects.named(names)
