"""`make run`: prepares, starts the broker and the Procfile's processes, and stops them again.

This process stays as their supervisor. What they all share is loaded here, and they are forked
from it (`convonet.zygote`); with ZYGOTE=off each is a program of its own, and this loads no Django.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ImproperlyConfigured

from convonet import (
    allotted,
    broker,
    env,
    greeting,
    ports,
    procfile,
    profiles,
    programs,
    running,
    secret,
    supervision,
    zygote,
)

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
    zygote: bool
    """Processes are forked from this one where they can be."""

    def environment(self) -> dict[str, str]:
        """The environment of every process."""
        return os.environ | {
            **allotted.environment(),
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
        environment = plan.environment()
        running.forget(var_dir)
        zygote.keep_title_room()
        os.environ.update(environment)
        if plan.zygote:
            _load()
        prepared = _prepare(plan)
        chosen = _programs(plan, prepared)
        config = var_dir / "supervisord.conf"
        config.write_text(supervision.configuration(chosen, ROOT, var_dir))
        running.record(var_dir, environment)
        if plan.zygote:
            zygote.freeze()
        zygote.fork(lambda: greeting.greet(_addresses(plan, prepared), say, began))
        try:
            supervision.run(config, chosen, say)
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
    _must_be_free(port, _bind())
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
        # Elsewhere the system's own libraries do not take well to a fork.
        zygote=env.flag("ZYGOTE", default=sys.platform.startswith("linux")),
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


def _load() -> None:
    try:
        zygote.load()
    except ImproperlyConfigured:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise CannotStart(
            f"Convonet's code cannot be loaded: {type(error).__name__}: {error} "
            f"({os.path.relpath(place.filename)}, line {place.lineno})."
        ) from error


def _prepare(plan: Plan) -> dict[str, Any]:
    """Check, migrate and make the first users; what it says is passed on."""
    command = ("manage.py", "prepare", "--json")
    if plan.zygote:
        code, said = zygote.output_of(lambda: zygote.run_file(*command))
    else:
        done = subprocess.run(
            [sys.executable, *command], stdout=subprocess.PIPE, text=True, check=False
        )
        code, said = done.returncode, done.stdout
    if code:
        raise CannotStart("Nothing was started.")
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    return result


def _programs(plan: Plan, prepared: dict[str, Any]) -> list[programs.Program]:
    lines = procfile.read(PROCFILE)
    names = profiles.processes(
        lines, speech=prepared["speech_worker"], tools_in_worker=plan.tools_in_worker
    )
    if plan.zygote and len(set(names) & set(programs.WORKERS)) > 1:
        zygote.load_for_workers()
    doors = {
        "web": _listen(_bind(), plan.port),
        "flower": _listen(env.text("FLOWER_ADDRESS", ports.LOOPBACK), plan.flower_port),
    }
    chosen = [] if plan.broker_port is None else [_broker(plan, plan.broker_port)]
    return chosen + [
        programs.of_line(
            name,
            lines[name],
            os.environ,
            zygote.runnable if plan.zygote else None,
            door=doors.get(name),
            on_demand=name == "flower" and prepared["flower"] == "demand",
        )
        for name in names
    ]


def _broker(plan: Plan, port: int) -> programs.Program:
    password = secret.derive(plan.secret_key, "broker")
    config = broker.configure(plan.var_dir / "broker", port, password)
    return programs.broker([broker.program(), str(config)])


def _bind() -> str:
    return env.text("BIND", ports.LOOPBACK)


def _listen(host: str, port: int) -> socket.socket | None:
    try:
        return programs.listen(host, port)
    except OSError as error:
        raise CannotStart(f"Nobody can listen on {host}:{port}: {error.strerror}.") from None


def _addresses(plan: Plan, prepared: dict[str, Any]) -> greeting.Addresses:
    return greeting.Addresses(
        port=plan.port,
        flower_port=plan.flower_port,
        flower_user=prepared["flower_user"],
        flower_password=prepared["flower_password"],
        profile=prepared["profile"],
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
