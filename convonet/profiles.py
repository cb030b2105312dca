"""How much of everything one machine is given: three profiles, derived from its memory.

Pure, and without Django: the launcher chooses before anything is loaded. The sums behind the
figures are in docs/deploy.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from convonet.allowance import Allowance

Name = Literal["small", "medium", "large"]
Flower = Literal["always", "demand"]

# A machine sold as 1 GB shows 950 MB or so of it, one of 2 GB 1,900; a group shows all of it.
MEDIUM_FROM_MB = 900
LARGE_FROM_MB = 1800
# Of the allowance: new calls are taken below it, and what runs away has the rest.
ADMIT_BELOW_PERCENT = 80
# As `CONVONET_PROFILE` says it.
DERIVED = "auto"
# Engines that compute on this machine. Whatever else is asked waits for somebody else's machine.
LOCAL_ENGINES = frozenset({"local", "pico", "piper"})


@dataclass(frozen=True, slots=True)
class Profile:
    """Every value is a default; the variable of its name in capitals comes first."""

    name: Name
    reason: str
    """One sentence for whoever started it: why this one."""
    agent_children: int
    speech_children: int
    turns_per_child: int
    child_headroom_mb: int
    """A child that has grown by so much since it was warm is replaced."""
    child_ceiling_mb: int
    """An allocation that would make a child grow by more fails; and with it one turn."""
    mcp_ceiling_mb: int
    """The same of the tool server, and with it one tool."""
    max_calls: int
    """In all web processes together."""
    call_reserve_kb: int
    """What a call is expected to take in all processes together, in KiB."""
    resample_quality: str
    flower: Flower

    @property
    def variables(self) -> dict[str, str]:
        """Its values by the names of the environment variables that overrule them."""
        left_out = ("name", "reason")
        return {
            name.upper(): str(getattr(self, name))
            for name in self.__slots__
            if name not in left_out
        }


SMALL = Profile(
    name="small",
    reason="",
    agent_children=2,
    speech_children=1,
    turns_per_child=24,
    child_headroom_mb=48,
    child_ceiling_mb=96,
    mcp_ceiling_mb=64,
    max_calls=100,
    call_reserve_kb=512,
    resample_quality="medium",
    flower="demand",
)
MEDIUM = replace(
    SMALL,
    name="medium",
    agent_children=3,
    speech_children=2,
    child_headroom_mb=96,
    child_ceiling_mb=160,
    mcp_ceiling_mb=128,
    max_calls=150,
    flower="always",
)
LARGE = replace(
    MEDIUM,
    name="large",
    agent_children=4,
    child_headroom_mb=150,
    child_ceiling_mb=320,
    mcp_ceiling_mb=200,
    max_calls=200,
    resample_quality="best",
)
PROFILES: dict[str, Profile] = {one.name: one for one in (SMALL, MEDIUM, LARGE)}


def choose(allowance: Allowance, wished: str = DERIVED, reason: str = "") -> Profile:
    """The profile of that name, else the one for this allowance.

    `reason` is the sentence of whoever chose before, so that all processes tell the same one.
    Raises KeyError for a name that is none.
    """
    if wished != DERIVED:
        return replace(PROFILES[wished], reason=reason or "CONVONET_PROFILE asks for it")
    limit = allowance.limit_kib
    if limit is None:
        return replace(SMALL, reason="nothing tells how much memory there is")
    of_that = {"machine": "this machine has"}.get(
        allowance.source, f"the control group ({allowance.source}) allows"
    )
    return replace(_for(limit // 1024), reason=f"{of_that} {limit // 1024:,} MB")


def _for(megabytes: int) -> Profile:
    if megabytes >= LARGE_FROM_MB:
        return LARGE
    return MEDIUM if megabytes >= MEDIUM_FROM_MB else SMALL


def told(profile: Profile, values: Mapping[str, object], *, speech: bool) -> str:
    """One sentence for the terminal and the pages; `values` are the settings as they are.

    `speech`: something computes speech here.
    """
    agents = _count(int(str(values["AGENT_CHILDREN"])), "agent child", "agent children")
    speakers = _count(int(str(values["SPEECH_CHILDREN"])), "speech child", "speech children")
    sentence = (
        f"Profile {profile.name}, because {profile.reason}: {agents} of "
        f"{values['TURNS_PER_CHILD']} turns, {speakers if speech else 'no speech worker'}, at most "
        f"{values['MAX_CALLS']} calls, "
        f"Flower {'on demand' if values['FLOWER'] == 'demand' else 'always'}."
    )
    own = overruled(profile, values)
    return f"{sentence} Set otherwise: {', '.join(own)}." if own else sentence


def overruled(profile: Profile, values: Mapping[str, object]) -> list[str]:
    """`NAME=value` of each value that is not the profile's."""
    return [
        f"{name}={values[name]}"
        for name, own in profile.variables.items()
        if str(values.get(name, own)) != own
    ]


def computes_speech(engines: Iterable[str]) -> bool:
    """Does any of these work here, so that a speech worker is needed?

    A dotted path may be anything, so it is taken for one that does.
    """
    return any(name in LOCAL_ENGINES or "." in name for name in engines)


def processes(names: Collection[str], *, speech: bool, tools_in_worker: bool) -> list[str]:
    """Which of the Procfile's processes one machine starts, in their order.

    `tools_in_worker`: the agent worker's parent forks the tool server.
    """
    left_out = set() if speech else {"speech"}
    if tools_in_worker:
        left_out.add("mcp")
    return [name for name in names if name not in left_out]


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
