"""Which profile a machine gets, what it holds, and how that is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from convonet import profiles
from convonet.allowance import Allowance
from convonet.profiles import LARGE, MEDIUM, PROFILES, SMALL, Profile

SMALLEST_MB = {"small": 512, "medium": 900, "large": 1800}


def allowed(megabytes: int | None, source: str = "cgroup v2") -> Allowance:
    limit = None if megabytes is None else megabytes * 1024
    return Allowance(source, limit, None, None)


def values(profile: Profile, **own: object) -> dict[str, object]:
    return dict(profile.variables) | own


@pytest.mark.parametrize(
    ("megabytes", "name"),
    [
        (256, "small"),
        (512, "small"),
        (899, "small"),
        (900, "medium"),
        (1024, "medium"),
        (1799, "medium"),
        (1800, "large"),
        (2048, "large"),
        (24_000, "large"),
    ],
)
def test_the_allowance_decides_where_nobody_does(megabytes: int, name: str) -> None:
    assert profiles.choose(allowed(megabytes)).name == name


def test_the_reason_says_what_was_found() -> None:
    assert profiles.choose(allowed(512)).reason == "the control group (cgroup v2) allows 512 MB"
    machine = profiles.choose(allowed(24_105, "machine"))
    assert machine.reason == "this machine has 24,105 MB"
    assert profiles.choose(allowed(None)).reason == "nothing tells how much memory there is"


def test_a_wished_profile_comes_before_the_allowance() -> None:
    chosen = profiles.choose(allowed(24_000), "small")
    assert (chosen.name, chosen.reason) == ("small", "CONVONET_PROFILE asks for it")


def test_who_chose_before_is_believed_about_the_reason() -> None:
    assert profiles.choose(allowed(24_000), "small", "it was so").reason == "it was so"


def test_only_the_name_and_the_reason_are_no_variables() -> None:
    assert SMALL.variables["MCP_CEILING_MB"] == "64"
    assert set(SMALL.variables) == {
        *("AGENT_CHILDREN", "SPEECH_CHILDREN", "TURNS_PER_CHILD", "MAX_CALLS", "FLOWER"),
        *("CHILD_HEADROOM_MB", "CHILD_CEILING_MB", "MCP_CEILING_MB", "CALL_RESERVE_KB"),
        "RESAMPLE_QUALITY",
    }


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_runaway_meets_its_ceiling_in_what_admission_leaves_free(profile: Profile) -> None:
    left = SMALLEST_MB[profile.name] * (100 - profiles.ADMIT_BELOW_PERCENT) / 100
    assert profile.mcp_ceiling_mb < left
    assert profile.child_ceiling_mb < left
    # A child that grew a little shall be replaced, and not fail its turns.
    assert profile.child_headroom_mb < profile.child_ceiling_mb


def test_no_figure_of_a_larger_profile_is_smaller() -> None:
    numbers = [name for name, value in SMALL.variables.items() if value.isdigit()]
    assert len(numbers) == 8
    for name in numbers:
        small, medium, large = (int(one.variables[name]) for one in (SMALL, MEDIUM, LARGE))
        assert small <= medium <= large


def test_the_choice_is_told_in_one_sentence() -> None:
    chosen = profiles.choose(allowed(512))
    assert profiles.told(chosen, values(chosen), speech=True) == (
        "Profile small, because the control group (cgroup v2) allows 512 MB: 2 agent children of "
        "24 turns, 1 speech child, at most 100 calls, Flower on demand."
    )
    assert "no speech worker" in profiles.told(chosen, values(chosen), speech=False)


def test_what_the_host_set_otherwise_is_told_too() -> None:
    chosen = replace(LARGE, reason="this machine has 4,000 MB")
    told = profiles.told(chosen, values(chosen, AGENT_CHILDREN=1, MAX_CALLS=7), speech=True)
    assert "1 agent child of 24 turns, 2 speech children, at most 7 calls, Flower always." in told
    assert told.endswith("Set otherwise: AGENT_CHILDREN=1, MAX_CALLS=7.")


@pytest.mark.parametrize(
    ("engines", "here"),
    [
        (["local", "pico"], True),
        (["deepgram", "elevenlabs"], False),
        (["deepgram", "local", "elevenlabs"], True),
        (["openai", "piper"], True),
        (["my.own.Engine", "openai"], True),
    ],
)
def test_an_engine_that_computes_here_needs_a_speech_worker(engines: list[str], here: bool) -> None:
    assert profiles.computes_speech(engines) is here


def test_only_what_is_needed_is_started() -> None:
    names = ["web", "mcp", "speech", "agent", "flower"]
    assert profiles.processes(names, speech=True, tools_in_worker=False) == names
    assert profiles.processes(names, speech=False, tools_in_worker=True) == [
        *("web", "agent", "flower"),
    ]
