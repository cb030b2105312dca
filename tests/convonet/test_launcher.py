"""`make run` as a person meets it: it starts, says where it is, survives and leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from base64 import b64encode
from urllib.error import HTTPError

import psutil
import pytest

from convonet import ports, procfile
from convonet.launcher import PROCFILE
from tests.services import answers
from tests.stack import ROOT, Stack, wait_until

# Flower is started on demand, by who asks for it.
NAMES = ["broker", *(name for name in procfile.read(PROCFILE) if name != "flower")]


def launch(stack: Stack, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a launcher that is expected to refuse."""
    return subprocess.run(
        [sys.executable, "-m", "convonet.launcher"],
        cwd=ROOT,
        env=stack.env | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_whole_life_of_a_product(new_stack: Stack) -> None:
    """One start after another, since each costs seconds: what is said, kept, shared and left."""
    new_stack.env |= {"FLOWER": "demand", "FLOWER_IDLE_SECONDS": "2"}
    new_stack.start()
    new_stack.wait_said("Ctrl-C stops everything")
    first = new_stack.output
    assert f"http://localhost:{new_stack.port}/admin/" in first
    password = re.search(r"login is admin with the password (\S+)", first)
    assert password
    assert_second_launcher_refuses(new_stack)
    assert_flower_comes_and_goes(new_stack)
    assert_secrets_are_kept(new_stack, password[1])
    began = {name: new_stack.pid(name) for name in NAMES}
    new_stack.stop()
    assert "finishing running turns" in new_stack.output
    assert new_stack.output.endswith("Stopped.\n")
    assert not (new_stack.var_dir / "run.json").exists()
    assert not any(psutil.pid_exists(pid) for pid in began.values())

    new_stack.output_file.unlink()
    new_stack.start()
    new_stack.wait_said("Ctrl-C stops everything")
    assert "password" not in new_stack.output
    users = new_stack.rows("SELECT username, is_superuser FROM auth_user ORDER BY username")
    assert users == [("admin", 1), ("demo", 0)]


def assert_flower_comes_and_goes(stack: Stack) -> None:
    """It is started for who asks, ends when nobody does, and comes again."""
    assert "spawned: 'flower'" not in stack.logs("supervisor")

    def ended() -> int:
        return stack.logs("supervisor").count("exited: flower (exit status 0; expected)")

    assert flower_refuses(stack)
    wait_until(lambda: ended() == 1, 60, "Flower ends")
    assert flower_refuses(stack)
    wait_until(lambda: ended() == 2, 60, "Flower ends again")
    assert "flower ended" not in stack.output


def flower_refuses(stack: Stack) -> bool:
    """Whether it answers, to who has no password."""
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{stack.run_state['FLOWER_PORT']}/", timeout=60)
    return bool(refused.value.code == 401)


def assert_second_launcher_refuses(stack: Stack) -> None:
    refused = launch(stack, PORT=str(ports.any_free()))
    assert refused.returncode == 1
    assert "Convonet is already running" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert stack.health()["status"] == "ok"


def assert_secrets_are_kept(stack: Stack, admin_password: str) -> None:
    """No process list, file for others or log shows a password."""
    broker_password = stack.run_state["REDIS_URL"].split(":")[2].split("@")[0]
    login = stack.manage("flower_login").split("password ")[1].strip()
    secrets = (admin_password, broker_password, login)
    for process in stack.processes():
        line = " ".join(process.cmdline())
        assert not any(word in line for word in secrets), line
    for name in (*NAMES, "supervisor"):
        assert not any(word in stack.logs(name) for word in secrets), name
    assert stat.S_IMODE(stack.var_dir.joinpath("secret_key").stat().st_mode) == 0o600


def test_killed_process_is_started_again_and_serves(stack: Stack) -> None:
    for name in ("broker", "web", "agent"):
        old = stack.kill(name)
        if name == "web":
            assert_who_comes_meanwhile_waits(stack, old)
        stack.wait_restarted(name, old)
        stack.wait_said(f"{name} ended by itself; starting it again")
    stack.wait_until_healthy()


def assert_who_comes_meanwhile_waits(stack: Stack, killed: int) -> None:
    """The launcher listens on its port: nobody is refused while there is no web process."""
    wait_until(lambda: not is_running(killed), 60, "it has ended")
    with urllib.request.urlopen(f"{stack.url}/login/", timeout=60) as answer:
        assert answer.status == 200


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_data_in_the_broker_survives_its_end(stack: Stack) -> None:
    with stack.redis as client:
        client.set("test:kept", "yes", ex=300)
        # What `appendfsync everysec` promises to keep is what has been written out.
        wait_until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0, 60, "synced")
    old = stack.kill("broker", signal.SIGTERM)
    stack.wait_restarted("broker", old)
    wait_until(lambda: answers(stack.run_state["REDIS_URL"]), 60, "the broker is back")
    with stack.redis as client:
        assert client.get("test:kept") == b"yes"
    stack.wait_until_healthy()


def test_commands_in_another_terminal_find_the_running_product(stack: Stack) -> None:
    fresh = {name: value for name, value in stack.env.items() if not name.endswith("_PORT")}
    del fresh["PORT"]
    code = "from django.conf import settings as s; print(s.PORT, s.REDIS_URL == '{}')"
    code = code.format(stack.run_state["REDIS_URL"])
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT,
        env=fresh,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"{stack.port} True"


def test_flower_asks_for_its_password(stack: Stack) -> None:
    assert flower_refuses(stack)
    address = f"http://127.0.0.1:{stack.run_state['FLOWER_PORT']}/"
    user, password = re.findall(r"user (\S+), password (\S+)", stack.manage("flower_login"))[0]
    known = {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}
    with urllib.request.urlopen(urllib.request.Request(address, headers=known)) as response:
        assert b"Flower" in response.read()


def test_everything_listens_on_this_machine_only(stack: Stack) -> None:
    listening = [
        (connection.laddr.ip, process.name())
        for process in stack.processes()
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    # The broker, the page and the tools; Flower may be still to come.
    assert len(listening) >= 3, listening
    assert {address for address, _ in listening} == {"127.0.0.1"}


def test_product_of_separate_programs_runs_on_postgresql(
    new_stack: Stack, postgres_url: str
) -> None:
    new_stack.env |= {"DATABASE_URL": postgres_url, "ZYGOTE": "off"}
    new_stack.start()
    assert psutil.Process(new_stack.pid("web")).cmdline()[1:] == ["-m", "convonet.front_door"]
    assert not (new_stack.var_dir / "convonet.sqlite3").exists()
    vendor = new_stack.ask("from django.db import connection as c\nanswer = c.vendor")
    assert vendor == "postgresql"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks on Linux alone")
def test_processes_are_forked_from_the_launcher(stack: Stack) -> None:
    web = psutil.Process(stack.pid("web"))
    assert " ".join(web.cmdline()).strip() == "convonet: web"
    assert web.exe() == psutil.Process(stack.launcher_pid).exe()


def test_workers_give_way_to_the_process_that_carries_the_sound(stack: Stack) -> None:
    web = psutil.Process(stack.pid("web")).nice()
    for name in ("agent", "speech"):
        worker = psutil.Process(stack.pid(name))
        assert {p.nice() for p in [worker, *worker.children()]} == {min(19, web + 5)}


def test_launcher_of_separate_programs_stays_small() -> None:
    """With ZYGOTE=off: no Django, database or event loop in it."""
    code = "import sys, convonet.launcher; print(*sys.modules)"
    asked = [sys.executable, "-c", code]
    loaded = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    heavy = {"django.conf", "django.db", "celery", "redis", "asyncio", "twisted", "sqlite3"}
    assert heavy.isdisjoint(loaded.split())


def test_taken_port_is_one_sentence_with_the_way_out(new_stack: Stack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", new_stack.port))
        other.listen()
        refused = launch(new_stack)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"Port {new_stack.port} is in use by another program; "
        f"take another: PORT={new_stack.port + 1} make run\n"
    )


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PORT": "eight"}, "PORT must be a number, not 'eight'."),
        ({"SECRET_KEY": "short"}, "SECRET_KEY has fewer than 32 characters"),
        ({"DATABASE_URL": "sqlite:////nowhere/x.sqlite3"}, "The database cannot be used"),
        ({"MAX_CALLS": "none"}, "MAX_CALLS must be a number, not 'none'."),
    ],
)
def test_bad_configuration_is_a_sentence_and_nothing_starts(
    new_stack: Stack, environment: dict[str, str], sentence: str
) -> None:
    refused = launch(new_stack, **environment)
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not new_stack.processes()


def test_nothing_outlives_a_launcher_that_is_killed(new_stack: Stack) -> None:
    new_stack.start()
    os.kill(new_stack.launcher_pid, signal.SIGKILL)
    assert new_stack.wait_ended() == -signal.SIGKILL
    wait_until(lambda: not new_stack.processes(), 60, "every process has ended")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_other_ways_to_be_told_to_end_stop_everything_too(
    new_stack: Stack, sent: signal.Signals
) -> None:
    new_stack.start(wait=False)
    wait_until(lambda: "spawned: 'web'" in new_stack.logs("supervisor"), 60, "it has started")
    os.kill(new_stack.launcher_pid, sent)
    assert new_stack.wait_ended() == 0
    wait_until(lambda: not new_stack.processes(), 60, "every process has ended")
