"""What a process of the product is, by its command line."""

from __future__ import annotations

import re
from collections.abc import Sequence

# In the order of people's interest, which is that of every table and graph.
ROLES = (
    *("web", "agent", "agent child", "speech", "speech child", "worker", "worker child"),
    *("mcp", "flower", "broker", "launcher", "other"),
)
# By what their command lines hold, the first that fits.
_WORDS = {
    "valkey-server": "broker",
    "redis-server": "broker",
    "convonet.launcher": "launcher",
    "convonet.front_door": "web",
    "convonet.asgi": "web",
    "manage.py mcp": "mcp",
    "convonet.flower_app": "flower",
}
# As Celery titles its processes: [celeryd: agent@host:MainProcess], [… :ForkPoolWorker-3].
_TITLE = re.compile(r"celeryd: (\w+)@[^:\s]*:(\w+)")
# As the launcher titles what it forked: convonet: web.
_OWN_TITLE = re.compile(r"^convonet: (\w+)")
_QUEUES = re.compile(r"(?:celery .*worker .*-Q|-m workers) (\w+(?:,\w+)*)")
# Whoever consumes it is told by its other queues.
_CHORES = ",chores"
_WORKERS = ("agent", "speech")


def role_of(command: Sequence[str], parent_role: str = "") -> str:
    """One of ROLES; `parent_role` tells a worker's child that bears no title yet."""
    line = " ".join(command)
    if (title := _TITLE.search(line)) is not None:
        role = title[1] if title[1] in _WORKERS else "worker"
        return role if title[2] == "MainProcess" else f"{role} child"
    if (own := _OWN_TITLE.match(line)) is not None and own[1] in ROLES:
        return own[1]
    named = next((role for word, role in _WORDS.items() if word in line), "")
    if named:
        return named
    if (queues := _QUEUES.search(line)) is not None:
        role = queues[1].removesuffix(_CHORES)
        role = role if role in _WORKERS else "worker"
        return f"{role} child" if parent_role == role else role
    return "other"
