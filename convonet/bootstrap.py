"""Makes `.venv` and installs locks into it: `python -m convonet.bootstrap base|test|openai,piper`.

Run by the Makefile with whatever Python it found, so the standard library is all it may use. An
environment that already holds the lock (its hash is in a stamp) is left alone.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class BootstrapError(Exception):
    """The environment could not be made; the message is one sentence for the person."""


def main(arguments: list[str]) -> int:
    try:
        ensure(ROOT, arguments[0] if arguments else "base")
    except BootstrapError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; the same command goes on with it.\n")
        return 130
    return 0


def ensure(root: Path, names: str) -> None:
    """Each of the locks, which hold the same versions of what they share; raises BootstrapError."""
    locks = [Bootstrap(root, name.strip()) for name in names.split(",") if name.strip()]
    for lock in locks:
        lock.check()
    for lock in locks:
        lock.ensure()


class Bootstrap:
    def __init__(self, root: Path, name: str) -> None:
        self.lock = root / "requirements" / f"{name}.txt"
        self.venv = root / ".venv"
        self.python = self.venv / "bin" / "python"
        self.stamp = self.venv / f"installed-{name}"
        self.log = self.venv / "install.log"
        self.name = name

    def check(self) -> None:
        if not self.lock.exists():
            known = ", ".join(sorted(path.stem for path in self.lock.parent.glob("*.txt")))
            raise BootstrapError(f"The lock {self.lock} is missing; there are: {known or 'none'}.")

    def ensure(self) -> None:
        """Make the environment hold exactly what the lock asks for; raises BootstrapError."""
        self.check()
        if self._is_current():
            return
        if not self._python_works():
            _step("Making .venv (once)", self._make_venv)
        count = sum(
            1 for line in self.lock.read_text().splitlines() if re.match(r"[A-Za-z0-9]", line)
        )
        _step(f"Installing {count} packages (a minute or two, once)", self._install)
        self.stamp.write_text(self._digest())
        if self.name != "base":
            # Every other lock holds the base packages at the base lock's versions.
            base = Bootstrap(self.venv.parent, "base")
            base.stamp.write_text(base._digest())

    def _is_current(self) -> bool:
        current = self.stamp.exists() and self.stamp.read_text() == self._digest()
        return current and self._python_works()

    def _digest(self) -> str:
        return hashlib.sha256(self.lock.read_bytes()).hexdigest()

    def _python_works(self) -> bool:
        """False for no environment, and for one whose interpreter was removed or moved."""
        try:
            code = subprocess.run(
                [str(self.python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"],
                capture_output=True,
                check=False,
            ).returncode
        except OSError:
            return False
        return code == 0

    def _make_venv(self) -> None:
        try:
            venv.create(self.venv, with_pip=True, clear=True)
        except (subprocess.CalledProcessError, OSError, SystemExit) as error:
            raise BootstrapError(
                f"Python at {sys.executable} cannot make a virtual environment ({error}); "
                "on Debian or Ubuntu install python3-venv."
            ) from None

    def _install(self) -> None:
        command = [str(self.python), "-m", "pip", "install", "--require-hashes", "--no-input"]
        command += ["--disable-pip-version-check", "--progress-bar", "off", "-r", str(self.lock)]
        with self.log.open("wb") as log:
            code = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            ).returncode
        if code:
            raise BootstrapError(f"{self._reason()} The whole story is in {self.log}.")

    def _reason(self) -> str:
        """What went wrong, from what pip said."""
        said = self.log.read_text(errors="replace")
        if "DO NOT MATCH THE HASHES" in said:
            return f"A package is not the one that {self.lock.name} names: its hash differs."
        if "--require-hashes mode" in said or "Invalid requirement" in said:
            return f"The lock {self.lock.name} is broken; restore it, or remake it: make lock."
        if "No matching distribution" in said:
            return "A package of the lock was not found for this Python and machine."
        if re.search(r"NewConnectionError|ConnectTimeout|Name or service not known", said):
            return "The package index cannot be reached; the first start needs the network."
        errors = [line for line in said.splitlines() if line.startswith("ERROR:")]
        return errors[-1][7:].rstrip(".") + "." if errors else "pip could not install the lock."


def _step(what: str, work: Callable[[], None]) -> None:
    """Run `work` under one line that shows the time passing (on a terminal) and how it took."""
    began = time.monotonic()
    done = threading.Event()
    ticker = threading.Thread(target=_tick, args=(what, began, done), daemon=True)
    ticker.start()
    try:
        work()
    finally:
        done.set()
        ticker.join()
        ending = f"{what}: {time.monotonic() - began:.0f} s"
        sys.stdout.write(f"\r\033[K{ending}\n" if sys.stdout.isatty() else f"{ending}\n")
        sys.stdout.flush()


def _tick(what: str, began: float, done: threading.Event) -> None:
    if not sys.stdout.isatty():
        sys.stdout.write(f"{what}…\n")
        sys.stdout.flush()
        return
    frame = 0
    while not done.wait(0.1):
        frame += 1
        passed = time.monotonic() - began
        sys.stdout.write(f"\r\033[K{SPINNER[frame % len(SPINNER)]} {what}… {passed:.0f} s")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
