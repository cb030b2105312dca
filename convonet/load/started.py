"""A subject that runs, with who calls it and who stands in for its services beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from convonet.load import cgroup, peers, plan, processes
from convonet.load.plan import Plan
from convonet.load.subjects import Subject
from convonet.overhead.product import product
from monitor.processes import below

Found = list[tuple[psutil.Process, str]]


@dataclass(frozen=True, slots=True)
class Started:
    driver: processes.Driver
    helpers: Mapping[str, int]
    """Process ids beside the product, by name."""
    find: Callable[[], Found]
    """The processes that are measured, with their roles."""
    group: cgroup.Group | None
    marks: Path
    log: Path
    """Of the stand-ins."""
    told: Mapping[str, object]
    """What is to be said of it beside the figures."""


@contextmanager
def started(chosen: Plan, subject: Subject) -> Iterator[Started]:
    """All of it ends with this; raises NotMeasured, NoGroup."""
    with ExitStack() as stack:
        made = stack.enter_context(TemporaryDirectory(prefix="bench-"))
        var_dir = Path(made).resolve()
        marks, log = var_dir / "marks", var_dir / "services"
        marks.touch()
        log.touch()
        helper, url = stack.enter_context(processes.providers(chosen, log))
        group = None
        if chosen.limit_bytes:
            group = stack.enter_context(cgroup.Group.made(chosen.limit_bytes))
        before = group.enter if group is not None else []
        if subject.peer:
            python = peers.prepared(chosen.peers_directory)
            running = peers.running(subject, python, url, var_dir, marks, before)
            root, port = stack.enter_context(running)
            told: dict[str, object] = {"versions": peers.versions(python)}
            environment: Mapping[str, str] | None = None
        else:
            variables = plan.environment(chosen, url, str(marks), subject.name)
            up = stack.enter_context(product(var_dir, variables, before))
            root, port, environment = up.launcher, int(up.environment["PORT"]), up.environment
            told = {"profile": _profile(var_dir / "launcher.out")}
        driver = stack.enter_context(
            processes.driver(chosen, port, marks, environment, peer=subject.peer)
        )

        def find() -> Found:
            found = below(root)
            return [(one, "pipecat") for one, _ in found] if subject.peer else found

        helpers = {"(driver)": driver.pid, "(services)": helper}
        yield Started(driver, helpers, find, group, marks, log, told)


def _profile(output: Path) -> str:
    """The launcher's own sentence about what it chose."""
    lines = output.read_text(errors="replace").splitlines()
    return next((line.strip() for line in lines if "rofile " in line), "")
