"""Making the environment: only when needed, and one sentence when it cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from convonet.bootstrap import Bootstrap, BootstrapError, ensure

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment's pip cannot reach any index."""
    (tmp_path / "requirements").mkdir()
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    python = binaries / "python"
    python.write_text(f'#!/bin/sh\nPIP_NO_INDEX=1 exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return tmp_path


def lock(checkout: Path, text: str) -> Bootstrap:
    (checkout / "requirements" / "base.txt").write_text(text)
    return Bootstrap(checkout, "base")


def sentence(bootstrap: Bootstrap) -> str:
    with pytest.raises(BootstrapError) as caught:
        bootstrap.ensure()
    return str(caught.value)


@pytest.mark.service
def test_unchanged_lock_is_not_installed_again(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap = lock(checkout, "")
    bootstrap.ensure()
    assert "Installing" in capsys.readouterr().out
    bootstrap.ensure()
    assert capsys.readouterr().out == ""


@pytest.mark.service
def test_changed_lock_is_installed(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock(checkout, "").ensure()
    capsys.readouterr()
    lock(checkout, "# changed\n").ensure()
    assert "Installing 0 packages" in capsys.readouterr().out


@pytest.mark.service
def test_package_with_another_hash_is_one_sentence_and_where_to_read_on(checkout: Path) -> None:
    wheel = checkout / "nothing-1.0-py3-none-any.whl"
    wheel.write_bytes(b"not what was locked")
    bootstrap = lock(checkout, f"nothing @ {wheel.as_uri()} --hash=sha256:{'0' * 64}\n")
    said = sentence(bootstrap)
    assert said.startswith("A package is not the one that base.txt names: its hash differs.")
    assert str(bootstrap.log) in said
    assert "DO NOT MATCH" in bootstrap.log.read_text()


@pytest.mark.service
def test_lock_without_hashes_is_refused_as_broken(checkout: Path) -> None:
    wheel = checkout / "nothing-1.0-py3-none-any.whl"
    wheel.write_bytes(b"whatever")
    assert "base.txt is broken" in sentence(lock(checkout, f"nothing @ {wheel.as_uri()}\n"))


@pytest.mark.service
def test_garbled_lock_is_refused_as_broken(checkout: Path) -> None:
    assert "base.txt is broken" in sentence(lock(checkout, "<<<<<<< ours\n"))


@pytest.mark.service
def test_package_that_nobody_has_is_one_sentence(checkout: Path) -> None:
    said = sentence(lock(checkout, f"nothing==9 --hash=sha256:{'0' * 64}\n"))
    assert said.startswith("A package of the lock was not found")


@pytest.mark.service
def test_failed_installation_is_tried_again(checkout: Path) -> None:
    bootstrap = lock(checkout, "django==5.2\n")
    sentence(bootstrap)
    assert not bootstrap.stamp.exists()


def test_missing_lock_is_one_sentence(checkout: Path) -> None:
    assert "is missing" in sentence(Bootstrap(checkout, "base"))


@pytest.mark.service
def test_several_locks_are_installed_each_once(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("base", "one", "two"):
        (checkout / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    ensure(checkout, "one,two")
    assert capsys.readouterr().out.count("Installing") == 2 * 2  # begun and done
    ensure(checkout, "two, one")
    ensure(checkout, "base")
    assert capsys.readouterr().out == ""


def test_an_unknown_lock_among_several_is_one_sentence_before_anything_is_installed(
    checkout: Path,
) -> None:
    (checkout / "requirements" / "base.txt").write_text("")
    with pytest.raises(BootstrapError, match=r"opnai\.txt is missing; there are: base"):
        ensure(checkout, "base,opnai")
    assert not (checkout / ".venv" / "installed-base").exists()


def make(checkout: Path, path: str) -> subprocess.CompletedProcess[str]:
    (checkout / "Makefile").write_text((ROOT / "Makefile").read_text())
    return subprocess.run(
        ["/usr/bin/env", f"PATH={path}", "make", "run"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )


def with_tools(tmp_path: Path, python: str) -> str:
    """A PATH with make, the shell and this `python3`, and no other Python."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "sh", "sed"):
        found = subprocess.run(["which", name], capture_output=True, text=True, check=True)
        (tools / name).symlink_to(found.stdout.strip())
    if python:
        (tools / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (tools / "python3").chmod(0o755)
    return str(tools)


@pytest.mark.parametrize("python", ["", "exit 1"], ids=["missing", "too old"])
def test_without_a_new_enough_python_make_says_what_is_needed(tmp_path: Path, python: str) -> None:
    done = make(tmp_path, with_tools(tmp_path, python))
    assert done.returncode != 0
    assert "Convonet needs Python 3.11 or newer, and none was found." in done.stderr


def test_lock_names_no_registry_and_every_package_has_a_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text
        assert "index-url" not in text
        pinned = [line for line in text.splitlines() if line[:1].isalnum()]
        assert pinned
        assert all("==" in line for line in pinned)
        assert text.count("--hash=sha256:") >= len(pinned)


def test_other_locks_hold_the_base_packages_at_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        return {line.rstrip(" \\") for line in text.splitlines() if line[:1].isalnum()}

    for name in ("test", "postgres", "piper", "anthropic", "google", "openai"):
        assert pins("base") <= pins(name)
