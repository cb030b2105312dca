"""supervisord's way to start a process, forked from the launcher instead of started anew."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence

from supervisor.options import ServerOptions

from convonet import zygote
from convonet.ports import SOCKET
from convonet.programs import Program

_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}


class Options(ServerOptions):  # type: ignore[misc]  # supervisor has no types
    """What supervisord asks of the system; the programs' doors stay open in this process."""

    def __init__(self, programs: Sequence[Program]) -> None:
        super().__init__()
        self.programs = {program.name: program for program in programs}
        self._doors = {program.door.fileno() for program in programs if program.door is not None}

    def fork(self) -> int:
        # What it is sent before it has handlers of its own shall not be lost in supervisord's.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        return pid

    def close_fd(self, fd: int) -> None:
        """In a child supervisord closes all it may have inherited."""
        if fd not in self._doors:
            super().close_fd(fd)

    def execve(self, filename: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """In a child: become the program; returns only as exec does, by raising OSError."""
        program = self.programs[env["SUPERVISOR_PROCESS_NAME"]]
        environment = dict(env) | self._open_door(program)
        if program.run is not None:
            zygote.become(program.name, program.run, environment, program.settings)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        super().execve(filename, argv, environment)

    def _open_door(self, program: Program) -> dict[str, str]:
        own = program.door.fileno() if program.door is not None else -1
        for number in self._doors - {own}:
            os.close(number)
        if own < 0:
            return {}
        os.set_inheritable(own, True)
        return {SOCKET: str(own)}

    def close_doors(self) -> None:
        """Nobody new shall wait for what is about to end."""
        for program in self.programs.values():
            if program.door is not None:
                program.door.close()
        self._doors.clear()
