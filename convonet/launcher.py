"""`make run`: prepares, starts the broker and the Procfile's processes, and stops them again.

This process stays as their supervisor, so it loads no Django: what needs Django (`prepare`) runs
as a command of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ImproperlyConfigured

from convonet import broker, env, greeting, ports, procfile, running, secret, supervision

ROOT = Path(__file__).resolve().parent.parent
PROCFILE = ROOT / "Procfile"


class CannotStart(Exception):
    """The message is one sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided before anything starts."""

    var_dir: Path
    port: int
    mcp_port: int
    flower_port: int
    broker_port: int | None
    """None when REDIS_URL names a broker that is not ours."""
    redis_url: str
    secret_key: str
    tools_in_worker: bool
    """The agent worker serves the tools; else they are a process of their own."""

    def environment(self) -> dict[str, str]:
        """The environment of every process."""
        return os.environ | {
            "CONVONET_VAR": str(self.var_dir),
            "PORT": str(self.port),
            "MCP_PORT": str(self.mcp_port),
            "FLOWER_PORT": str(self.flower_port),
            "REDIS_URL": self.redis_url,
            "TOOLS_IN_WORKER": str(int(self.tools_in_worker)),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
        }


def main() -> int:
    began = time.monotonic()
    try:
        _launch(began)
    except (CannotStart, broker.NoBroker, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _launch(began: float) -> None:
    var_dir = Path(env.text("CONVONET_VAR", str(ROOT / "var"))).resolve()
    (var_dir / "log").mkdir(parents=True, exist_ok=True, mode=0o700)
    with (var_dir / "run.lock").open("w") as lock:
        _take(lock, var_dir)
        plan = _decide(var_dir)
        programs = _programs(plan)
        environment = plan.environment()
        prepared = _prepare(environment)
        config = var_dir / "supervisord.conf"
        config.write_text(supervision.configuration(programs, ROOT, var_dir))
        os.environ.update(environment)
        running.record(var_dir, environment)
        greeting.Greeter(_addresses(plan, prepared), say, began).start()
        try:
            supervision.run(config, say)
        finally:
            running.forget(var_dir)
    say("Stopped.")


def _take(lock: IO[str], var_dir: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(
            f"Convonet is already running on {var_dir}; stop it first (Ctrl-C in its terminal), "
            "or give this one another place: CONVONET_VAR=/somewhere PORT=8001 make run"
        ) from None


def _decide(var_dir: Path) -> Plan:
    port = env.integer("PORT", 8000, least=1, most=65_535)
    bind = env.text("BIND", ports.LOOPBACK)
    _must_be_free(port, bind)
    taken = {port}
    secret_key = secret.load_or_make(var_dir / "secret_key", env.text("SECRET_KEY"))
    redis_url = env.text("REDIS_URL")
    broker_port = None
    if not redis_url:
        broker_port = _choose("BROKER_PORT", 6379, taken)
        redis_url = broker.url(broker_port, secret.derive(secret_key, "broker"))
    return Plan(
        var_dir=var_dir,
        port=port,
        mcp_port=_choose("MCP_PORT", 8001, taken),
        flower_port=_choose("FLOWER_PORT", 5555, taken),
        broker_port=broker_port,
        redis_url=redis_url,
        secret_key=secret_key,
        tools_in_worker=env.flag("TOOLS_IN_WORKER", default=True),
    )


def _choose(name: str, default: int, taken: set[int]) -> int:
    """The port the environment asks for, else the default one, else any that is free."""
    if not env.text(name):
        return ports.preferred_or_free(default, taken)
    port = env.integer(name, default, least=1, most=65_535)
    _must_be_free(port, ports.LOOPBACK, name)
    taken.add(port)
    return port


def _must_be_free(port: int, host: str, name: str = "PORT") -> None:
    other = port + 1 if port < 65_535 else 8000
    try:
        free = ports.is_free(port, host)
    except OSError as error:
        raise CannotStart(
            f"Port {port} cannot be used ({error.strerror}); take another: {name}={other} make run"
        ) from None
    if not free:
        raise CannotStart(
            f"Port {port} is in use by another program; take another: {name}={other} make run"
        )


def _programs(plan: Plan) -> list[supervision.Program]:
    python = shlex.quote(sys.executable)
    programs = []
    if plan.broker_port is not None:
        server = broker.program()
        password = secret.derive(plan.secret_key, "broker")
        config = broker.configure(plan.var_dir / "broker", plan.broker_port, password)
        command = f"{python} -m convonet.lifeline -- {shlex.join([server, str(config)])}"
        programs.append(supervision.Program("broker", command))
    for name in procfile.read(PROCFILE):
        if name == "mcp" and plan.tools_in_worker:
            continue
        works = name in ("agent", "speech")
        seconds = supervision.FINISH_SECONDS if works else 8
        command = f"{python} -m convonet.lifeline {name}"
        programs.append(supervision.Program(name, command, stop_seconds=seconds))
    return programs


def _prepare(environment: dict[str, str]) -> dict[str, Any]:
    """Check, migrate and make the first users; what it says is passed on."""
    command = [sys.executable, "manage.py", "prepare", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise CannotStart("Nothing was started.")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _addresses(plan: Plan, prepared: dict[str, Any]) -> greeting.Addresses:
    return greeting.Addresses(
        port=plan.port,
        flower_port=plan.flower_port,
        flower_user=prepared["flower_user"],
        flower_password=prepared["flower_password"],
        logs=os.path.relpath(plan.var_dir / "log"),
        admin_password=prepared["admin_password"],
    )


def say(sentence: str) -> None:
    # The terminal may be gone (SIGHUP), which must not keep anything from being stopped.
    with suppress(OSError):
        sys.stdout.write(sentence + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
