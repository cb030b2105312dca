"""The memory that the product may use, read from trees as kernels and containers show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from convonet import allowance
from convonet.allowance import Allowance

MB = 1024 * 1024


def write(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


def version_2(group: str, most: object) -> dict[str, object]:
    return {
        f"{group}/memory.max": most,
        f"{group}/memory.current": 300 * MB,
        f"{group}/memory.stat": f"anon 1\nfile {90 * MB}\nfile_mapped {6 * MB}\n"
        f"inactive_file {34 * MB}\nactive_file {16 * MB}",
        f"{group}/memory.events": "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2",
    }


def test_version_2_counts_what_cannot_be_given_up(tmp_path: Path) -> None:
    files: dict[str, object] = {"proc/self/cgroup": "0::/"} | version_2("sys/fs/cgroup", 512 * MB)
    found = allowance.read(write(tmp_path, files))
    assert found == Allowance("cgroup v2", 512 * 1024, 256 * 1024, 2)
    assert found.share == 0.5


def test_the_smallest_limit_of_all_groups_around_counts(tmp_path: Path) -> None:
    files: dict[str, object] = {"proc/self/cgroup": "0::/small.slice/app.scope"}
    files |= version_2("sys/fs/cgroup/small.slice", 512 * MB)
    files |= version_2("sys/fs/cgroup/small.slice/app.scope", "max")
    assert allowance.read(write(tmp_path, files)).limit_kib == 512 * 1024


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    files: dict[str, object] = {"proc/self/cgroup": "0::/../../docker/0123abcd"}
    files |= version_2("sys/fs/cgroup", 512 * MB)
    assert allowance.read(write(tmp_path, files)).limit_kib == 512 * 1024


def test_version_1(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/memory/app"
    files = {
        "proc/self/cgroup": "5:cpu:/\n4:memory:/app\n0::/",
        f"{group}/memory.limit_in_bytes": 1024 * MB,
        f"{group}/memory.usage_in_bytes": 300 * MB,
        f"{group}/memory.stat": f"inactive_file 7\ntotal_inactive_file {34 * MB}\n"
        f"total_active_file {16 * MB}\ntotal_mapped_file {6 * MB}",
        f"{group}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": 9223372036854771712,
    }
    found = allowance.read(write(tmp_path, files))
    assert found == Allowance("cgroup v1", 1024 * 1024, 256 * 1024, 1)


@pytest.mark.parametrize("most", ["max", 9223372036854771712])
def test_without_a_limit_it_is_the_machine(tmp_path: Path, most: object) -> None:
    files = {
        "proc/self/cgroup": "4:memory:/\n0::/",
        "sys/fs/cgroup/memory.max": "max",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": most,
        "proc/meminfo": "MemTotal: 2048 kB\nMemFree: 12 kB\nMemAvailable: 1536 kB",
        "proc/vmstat": "pgfault 1\noom_kill 5",
    }
    assert allowance.read(write(tmp_path, files)) == Allowance("machine", 2048, 512, 5)


def test_this_machine_tells_something() -> None:
    found = allowance.read()
    assert found.limit_kib is not None
    assert found.limit_kib > 64 * 1024
