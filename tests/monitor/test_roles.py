"""What a process is, by its command line."""

from __future__ import annotations

import pytest

from monitor.roles import ROLES, role_of

WORKER = "/venv/bin/python /venv/bin/celery -A convonet worker -Q agent -n agent@%h -c 2"


@pytest.mark.parametrize(
    ("line", "parent", "role"),
    [
        ("/venv/bin/python -m convonet.launcher", "", "launcher"),
        ("/venv/bin/valkey-server 127.0.0.1:6379", "launcher", "broker"),
        ("/venv/bin/python /venv/bin/daphne -p 8000 convonet.asgi:application", "", "web"),
        ("python -m convonet.front_door", "launcher", "web"),
        ("python -m workers speech", "launcher", "speech"),
        ("convonet: web", "launcher", "web"),
        ("convonet: agent", "launcher", "agent"),
        ("convonet: nobody", "launcher", "other"),
        ("/venv/bin/uvicorn convonet.asgi:application --port 8000", "", "web"),
        ("python manage.py mcp", "launcher", "mcp"),
        ("celery -A convonet.flower_app flower --conf=convonet/flower_options.py", "", "flower"),
        (WORKER, "launcher", "agent"),
        (WORKER, "agent", "agent child"),
        ("celery -A convonet worker -Q agent,speech -c 4", "", "worker"),
        ("celery -A convonet worker -Q agent,chores -c 4", "", "agent"),
        ("[celeryd: agent@host:MainProcess] -active- (-A convonet …)", "", "agent"),
        ("[celeryd: agent@host:ForkPoolWorker-12]", "agent", "agent child"),
        ("[celeryd: speech@a-host.example:ForkPoolWorker-1]", "", "speech child"),
        ("[celeryd: all@host:ForkPoolWorker-1]", "", "worker child"),
        ("convonet: mcp", "agent", "mcp"),
        ("vim celery.txt", "", "other"),
        ("", "", "other"),
    ],
)
def test_role(line: str, parent: str, role: str) -> None:
    assert role_of(line.split(), parent) == role
    assert role in ROLES
