"""Runs the broker and the Procfile's processes under supervisord, inside the launcher's process.

supervisord brings restarts, order and log rotation; added here are a cap on its back-off, words
for the terminal, and that a second Ctrl-C does not wait.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor import events
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

# How long running turns may take to finish after Ctrl-C; a turn's own limit is longer.
FINISH_SECONDS = 15
LONGEST_BACKOFF_SECONDS = 10
# A process that ran this long and then ends is news again.
STEADY_SECONDS = 30
# supervisord looks after its processes this often while something starts or stops, else each 1 s.
BRISK_SECONDS = 0.1
# Lower starts first; stopping goes the other way round, one stage after another: the worker that
# runs turns needs all others to finish them.
STAGES = {"broker": 1, "web": 10, "mcp": 10, "flower": 10, "speech": 20, "agent": 30}


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    command: str
    stop_seconds: int = 8


def configuration(programs: list[Program], root: Path, var_dir: Path) -> str:
    """The text of a supervisord configuration that runs these programs."""
    logs = var_dir / "log"
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"logfile={_plain(logs / 'supervisor.log')}",
        "logfile_maxbytes=1MB",
        "logfile_backups=1",
        "loglevel=info",
        f"pidfile={_plain(var_dir / 'supervisor.pid')}",
        f"directory={_plain(root)}",
    ]
    front = [program for program in programs if STAGES.get(program.name, 10) == STAGES["web"]]
    if front:
        names = ",".join(program.name for program in front)
        lines += ["[group:front]", f"programs={names}", f"priority={STAGES['web']}"]
    for program in programs:
        lines += _section(program, logs)
    return "\n".join(lines) + "\n"


def _section(program: Program, logs: Path) -> list[str]:
    return [
        f"[program:{program.name}]",
        f"command={_plain(program.command)}",
        f"priority={STAGES.get(program.name, STAGES['web'])}",
        "autorestart=true",
        "startsecs=2",
        "startretries=1000000",
        "stopsignal=TERM",
        f"stopwaitsecs={program.stop_seconds}",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_plain(logs / program.name)}.log",
        "stdout_logfile_maxbytes=5MB",
        "stdout_logfile_backups=2",
    ]


def _plain(value: object) -> str:
    return str(value).replace("%", "%%")


class Watch(Supervisor):  # type: ignore[misc]  # supervisor has no types
    """supervisord with a voice; `say` gets sentences for the person at the terminal."""

    def __init__(self, options: ServerOptions, say: Callable[[str], None]) -> None:
        super().__init__(options)
        self.say = say
        self.failures: dict[str, int] = {}

    def runforever(self) -> None:
        events.subscribe(events.ProcessStateExitedEvent, self._exited)
        events.subscribe(events.ProcessStateBackoffEvent, self._backed_off)
        super().runforever()

    def handle_signal(self) -> None:
        number = self.options.get_signal()
        if number not in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            return
        if self.options.mood != SupervisorStates.SHUTDOWN:
            self.options.mood = SupervisorStates.SHUTDOWN
            self.say(f"Stopping: finishing running turns… (at most {FINISH_SECONDS} s)")
        elif number == signal.SIGINT:
            self.say("Stopping at once.")
            self._kill_all()

    def is_moving(self) -> bool:
        """True while any process is between two states."""
        if self.options.mood == SupervisorStates.SHUTDOWN:
            return True
        groups = self.process_groups.values()
        states = {process.get_state() for group in groups for process in group.processes.values()}
        return bool(states - {ProcessStates.RUNNING, ProcessStates.FATAL})

    def _kill_all(self) -> None:
        for group in self.process_groups.values():
            for process in group.get_unstopped_processes():
                if process.pid:
                    os.killpg(process.pid, signal.SIGKILL)

    def _exited(self, event: Any) -> None:
        if not self.stopping:
            self._count(event.process)

    def _backed_off(self, event: Any) -> None:
        process = event.process
        process.backoff = min(process.backoff, LONGEST_BACKOFF_SECONDS)
        process.delay = min(process.delay, process.laststart + LONGEST_BACKOFF_SECONDS)
        self._count(process)

    def _count(self, process: Any) -> None:
        """Say it when a process ends, and once when it keeps ending."""
        name = process.config.name
        if time.time() - process.laststart > STEADY_SECONDS:
            self.failures[name] = 0
        self.failures[name] = self.failures.get(name, 0) + 1
        if self.failures[name] == 1:
            self.say(f"{name} ended by itself; starting it again. See {_log_of(process)}.")
        elif self.failures[name] == 2:
            self.say(f"{name} does not stay up; still trying. See {_log_of(process)}.")


def _log_of(process: Any) -> str:
    return str(os.path.relpath(process.config.stdout_logfile))


class BriskPoller:
    """supervisord's poller, woken by signals and waiting less while a process starts or stops.

    Its loop would feel both a whole second late.
    """

    def __init__(self, poller: Any) -> None:
        self._poller = poller
        self.watch: Watch | None = None
        self._wake, written = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        poller.register_readable(self._wake)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)

    def poll(self, timeout: float) -> tuple[list[int], list[int]]:
        if self.watch is not None and self.watch.is_moving():
            timeout = BRISK_SECONDS
        readable, writable = self._poller.poll(timeout)
        if self._wake in readable:
            os.read(self._wake, 4096)
            readable.remove(self._wake)
        return readable, writable


def run(config_file: Path, say: Callable[[str], None]) -> None:
    """Run until told to stop by a signal; returns when every process has ended."""
    options = ServerOptions()
    options.realize(["-c", str(config_file)], doc="")
    options.first, options.test = True, False
    options.poller = poller = BriskPoller(options.poller)
    poller.watch = watch = Watch(options, say)
    try:
        watch.main()
    except ExitNow:
        pass
    finally:
        options.close_httpservers()
        options.close_logger()
        sys.stdout.flush()
