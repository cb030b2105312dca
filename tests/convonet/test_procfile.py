from __future__ import annotations

from pathlib import Path

import pytest

from convonet import procfile, zygote
from convonet.launcher import PROCFILE
from convonet.supervision import STAGES
from workers.speech.options import LEAN_ENVIRONMENT


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "Procfile"
    path.write_text(text)
    return path


def test_lines_are_names_and_commands_in_order(tmp_path: Path) -> None:
    path = write(tmp_path, "# parts\nweb: serve -p $PORT\n\nworker: work: hard\n")
    assert list(procfile.read(path).items()) == [
        ("web", "serve -p $PORT"),
        ("worker", "work: hard"),
    ]


@pytest.mark.parametrize("line", ["web", "web:", "two words: serve", "- x"])
def test_line_that_is_no_process_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="no process"):
        procfile.read(write(tmp_path, line + "\n"))


def test_every_process_of_the_product_has_its_place_in_the_order() -> None:
    assert set(procfile.read(PROCFILE)) == set(STAGES) - {"broker"}


def test_every_process_replaces_the_shell_that_starts_it() -> None:
    """Otherwise a signal would end the shell and leave the process."""
    assert all("exec " in command for command in procfile.read(PROCFILE).values())


def test_no_command_line_shows_a_secret() -> None:
    text = PROCFILE.read_text().lower()
    assert not any(word in text for word in ("password", "basic_auth", "token", "redis://"))


def test_speech_worker_is_started_in_its_lean_environment() -> None:
    """The C libraries read these when a process starts, so no Python of ours could set them."""
    command = procfile.read(PROCFILE)["speech"]
    settings = [word.split("=") for word in command.split(" exec ")[0].split()]
    assert dict(settings) == LEAN_ENVIRONMENT | {"WORKER_ROLE": "speech"}


@pytest.mark.parametrize(
    ("line", "settings", "words"),
    [
        ("exec python -m web", {}, ("python", "-m", "web")),
        ("A=1 B=${B:-x,y} exec run -c ${N:-2}", {"A": "1", "B": "x,y"}, ("run", "-c", "2")),
        ("exec run ${PORT:-8000} $PORT ${PORT}", {}, ("run", "81", "81", "81")),
        ("exec run -b ${EMPTY:-127.0.0.1}", {}, ("run", "-b", "127.0.0.1")),
    ],
)
def test_plain_command_is_what_a_shell_would_run(
    line: str, settings: dict[str, str], words: tuple[str, ...]
) -> None:
    parsed = procfile.parse(line, {"PORT": "81", "EMPTY": ""})
    assert parsed == procfile.Command(settings, words)


@pytest.mark.parametrize(
    "line",
    [
        "run without exec",
        "exec run | tail",
        "exec run 'two words'",
        "exec run $(id)",
        "exec run ${A:+b}",
        "exec run $BLANKS",
        "exec run $UNSET",
        "exec run *.py",
        "A=1; exec run",
        "exec",
    ],
)
def test_what_takes_a_shell_is_left_to_one(line: str) -> None:
    assert procfile.parse(line, {"BLANKS": "two words"}) is None


def test_every_process_of_the_product_can_be_forked_from_the_launcher() -> None:
    for line in procfile.read(PROCFILE).values():
        parsed = procfile.parse(line, {})
        assert parsed is not None
        assert zygote.runnable(parsed) is not None
