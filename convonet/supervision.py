"""Runs the broker and the Procfile's processes under supervisord, inside the launcher's process.

supervisord brings restarts, order and log rotation; added here are a cap on its back-off, words
for the terminal, and that a second Ctrl-C does not wait.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from supervisor import events
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

from convonet.forking import Options
from convonet.programs import FINISH_SECONDS, Program

LONGEST_BACKOFF_SECONDS = 10
# A process that ran this long and then ends is news again.
STEADY_SECONDS = 30
# supervisord looks after its processes this often while something starts or stops, else each 1 s.
BRISK_SECONDS = 0.1
RESTING = {ProcessStates.RUNNING, ProcessStates.FATAL}
# Lower starts first; stopping goes the other way round, one stage after another: the worker that
# runs turns needs all others to finish them.
STAGES = {"broker": 1, "web": 10, "mcp": 10, "flower": 10, "speech": 20, "agent": 30}


def configuration(programs: Sequence[Program], root: Path, var_dir: Path) -> str:
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
        f"autostart={str(not program.on_demand).lower()}",
        f"autorestart={str(not program.on_demand).lower()}",
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

    def __init__(self, options: Options, say: Callable[[str], None]) -> None:
        super().__init__(options)
        self.say = say
        self.failures: dict[str, int] = {}

    def runforever(self) -> None:
        events.subscribe(events.ProcessStateExitedEvent, self._exited)
        events.subscribe(events.ProcessStateBackoffEvent, self._backed_off)
        for program in self.options.programs.values():
            if program.on_demand:
                self.options.poller.watch_door(program, self.open_up)
        super().runforever()

    def handle_signal(self) -> None:
        number = self.options.get_signal()
        if number not in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            return
        if self.options.mood != SupervisorStates.SHUTDOWN:
            self.options.mood = SupervisorStates.SHUTDOWN
            self.options.poller.forget_doors()
            self.options.close_doors()
            self.say(f"Stopping: finishing running turns… (at most {FINISH_SECONDS} s)")
        elif number == signal.SIGINT:
            self.say("Stopping at once.")
            self._kill_all()

    def open_up(self, name: str) -> None:
        """Somebody is at the door of a program that is started on demand."""
        for group in self.process_groups.values():
            if name in group.processes and self.options.mood == SupervisorStates.RUNNING:
                group.processes[name].spawn()

    def patience(self, timeout: float) -> float:
        """How long to wait for news, in seconds: less while a process is between two states."""
        if self.options.mood == SupervisorStates.SHUTDOWN:
            return BRISK_SECONDS
        groups = self.process_groups.values()
        states = {
            process.get_state()
            for group in groups
            for process in group.processes.values()
            if not self.options.programs[process.config.name].on_demand
        }
        if ProcessStates.EXITED in states:
            return 0.0  # it is started again in the next round
        return BRISK_SECONDS if states - RESTING else timeout

    def _kill_all(self) -> None:
        for group in self.process_groups.values():
            for process in group.get_unstopped_processes():
                if process.pid:
                    os.killpg(process.pid, signal.SIGKILL)

    def _exited(self, event: Any) -> None:
        if self.stopping:
            return
        program = self.options.programs[event.process.config.name]
        if program.on_demand:
            self.options.poller.watch_door(program, self.open_up)
        if not (program.on_demand and event.expected):
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

    Its loop would feel both a whole second late. It also watches the doors of what is started on
    demand, each until somebody comes.
    """

    def __init__(self, poller: Any) -> None:
        self._poller = poller
        self.watch: Watch | None = None
        self._wake, written = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        poller.register_readable(self._wake)
        self._doors: dict[int, Callable[[], None]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)

    def poll(self, timeout: float) -> tuple[list[int], list[int]]:
        if self.watch is not None:
            timeout = self.watch.patience(timeout)
        readable, writable = self._poller.poll(timeout)
        if self._wake in readable:
            os.read(self._wake, 4096)
            readable.remove(self._wake)
        for number in self._doors.keys() & set(readable):
            readable.remove(number)
            self._poller.unregister_readable(number)
            self._doors.pop(number)()
        return readable, writable

    def watch_door(self, program: Program, open_up: Callable[[str], None]) -> None:
        """Call `open_up` once, with its name, when somebody connects to its door."""
        if program.door is not None:
            number = program.door.fileno()
            self._doors[number] = lambda: open_up(program.name)
            self._poller.register_readable(number)

    def forget_doors(self) -> None:
        for number in self._doors:
            self._poller.unregister_readable(number)
        self._doors.clear()


def run(config_file: Path, programs: Sequence[Program], say: Callable[[str], None]) -> None:
    """Run until told to stop by a signal; returns when every process has ended.

    `config_file` holds the `configuration` of these programs.
    """
    options = Options(programs)
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
