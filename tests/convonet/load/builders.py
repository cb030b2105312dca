"""Small figures for tests of the bench's arithmetic."""

from __future__ import annotations

from typing import Any

from convonet.load import figures, sampling
from convonet.load.cgroup import Use
from convonet.load.lateness import Late
from convonet.load.sampling import Sample

MS = 1_000_000


def way(**at_ms: float) -> dict[str, int]:
    return {place: int(at * MS) for place, at in at_ms.items()}


def call(key: str = "a", **more: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("dropped", "held", "unanswered", "lost_ms", "doubled_ms"), 0)
    rest: dict[str, Any] = {"up": True, "faults": [], "said": 1, "frames": 100, "gaps": []}
    heard = {"spoken": [1.0], "answers": [[1.0, "t", 3.0, 3.2]]}
    return {"key": key, "kind": "phone", **nothing, **rest, **heard, **more}


def turn(name: str = "t", key: str = "a", **more: Any) -> dict[str, Any]:
    rest = {"state": "done", "error": "", "attempts": 1, "tools": 0, "token": "zo"}
    return {"id": name, "key": key, **rest, **more}


def taken(calls: list[dict[str, Any]], turns: list[dict[str, Any]]) -> dict[str, Any]:
    late = Late()
    late.add(0.001)
    told = {"late": late.told(), "taken": late.told(), "cpu_seconds": 1.0, "runaways": []}
    return {"calls": calls, "turns": turns, **told}


WAYS = {"t": {"ended": 1_610_000_000, "sent": 3_200_000_000}}
WORK = {
    "zo": [
        figures.Work("transcriptions", 1.3, 1.5),
        figures.Work("completions", 1.63, 3.03),
        figures.Work("speech", 3.04, 3.14),
    ]
}


def stage(wanted: int = 1, **figures_of: Any) -> dict[str, Any]:
    told = figures.of_stage(taken([call()], [turn()]), WAYS, WORK, 0.6)
    use = Use(used=100 << 20, charged=0, peak=200 << 20, refused=0, oom_kills=0)
    looks = [
        Sample(at, {"web": 80 * 1024}, {"web": 1}, {"web": at / 10, "(machine)": at}, use)
        for at in (0.0, 10.0)
    ]
    window = sampling.window(looks)
    return {
        **{"wanted": wanted, "listening": window, "speaking": window},
        "figures": told | figures_of,
    }
