"""The seeds: what is said and who is killed, the same for the same number."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.chaos import facts
from tests.chaos.claims import Claim, claim_of, count_said
from tests.chaos.commands import Commands
from tests.chaos.evidence import ended_by_themselves
from tests.chaos.facts import Attempt, Chip, Command, Kill, Snapshot, TodoRow
from tests.chaos.killer import plan
from tests.chaos.victims import VICTIMS
from workers.agent_loop import SAID


def script(seed: int, length: int = 400) -> list[Command]:
    commands, last, said = Commands(Random(seed)), None, []
    for _ in range(length):
        command = commands.next(last)
        commands.learned(command, done=True)
        last = command if command.kind != "undo" else None
        said.append(command)
    return said


def test_the_same_seed_says_the_same_and_another_one_something_else() -> None:
    assert script(1) == script(1)
    assert script(1) != script(2)


def test_everything_that_can_be_said_is_said() -> None:
    said = script(3)
    assert {command.kind for command in said} >= {
        *("add", "complete", "prioritise", "delete", "remind", "undo", "count", "list")
    }
    assert any(command.recording for command in said)
    assert any(command.interrupt_after is not None for command in said)


def test_no_name_is_given_twice() -> None:
    made = Counter(c.title for c in script(4) if c.kind in ("add", "remind") and c.title)
    assert max(made.values()) == 1
    spoken = Counter(c.recording[:2] for c in script(4) if c.kind == "add" and c.recording)
    assert max(spoken.values()) == 1


def test_every_victim_is_killed_once_before_any_is_killed_again() -> None:
    first = plan(30, Random(5))[: len(VICTIMS)]
    assert {victim.name for victim in first} == {victim.name for victim in VICTIMS}
    assert [v.name for v in plan(30, Random(5))] == [v.name for v in plan(30, Random(5))]
    assert not any(victim.by_kernel for victim in plan(50, Random(5), by_kernel=False))


def attempt(reply: str = "", kind: str = "add", outcome: str = "done", **more: object) -> Attempt:
    made = Attempt("anna", 1, "c", kind, "add milk", 1.0, outcome=outcome, reply=reply)
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("reply", "claim"),
    [
        ("Added milk.", Claim.DONE),
        ("Done: milk.", Claim.DONE),
        ("Undone: milk is open again.", Claim.DONE),
        ("Milk has high priority now.", Claim.DONE),
        ("Something went wrong on my side. Nothing was changed. Please try again.", Claim.NOT_DONE),
        ("I found no todo like “milk”.", Claim.NOT_DONE),
        ("I am not sure whether it was done; please ask me to check.", Claim.UNSURE),
        (
            "That took too long. This much was done: Added milk. Nothing else was changed.",
            Claim.DONE,
        ),
        ("Blue.", Claim.UNKNOWN),
    ],
)
def test_what_a_reply_claims(reply: str, claim: Claim) -> None:
    assert claim_of(attempt(reply)) is claim


@pytest.mark.parametrize("said", sorted(SAID.values()))
def test_what_is_said_of_a_tool_that_was_not_reached_is_understood(said: str) -> None:
    assert claim_of(attempt(said)) in (Claim.NOT_DONE, Claim.UNSURE)


def test_half_a_sentence_before_a_cut_claims_nothing() -> None:
    assert claim_of(attempt("Milk has", outcome="cut")) is Claim.NOTHING
    chips = {"x": Chip("add_todos", "done", "added: milk")}
    assert claim_of(attempt("Milk has", outcome="cut", chips=chips)) is Claim.DONE


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("You have no open todos.", 0),
        ("You have one open todo.", 1),
        ("You have 23 open todos.", 23),
        ("Nothing is overdue.", None),
    ],
)
def test_the_number_in_an_answer(words: str, count: int | None) -> None:
    assert count_said(words) == count


def test_a_part_that_ends_unkilled_is_counted() -> None:
    log = """WARN exited: agent (exit status 1; not expected)
WARN exited: web (terminated by SIGKILL; not expected)
WARN received SIGINT indicating exit request
INFO exited: speech (exit status 0; expected)"""
    assert ended_by_themselves(log) == {"agent": 1}


def test_facts_survive_being_written_down(tmp_path: Path) -> None:
    given = [attempt("Added milk.", chips={"x": Chip("add_todos", "done", "added: milk")})]
    kills, snapshot = [Kill("broker", 1, 2.0, "tool", None)], Snapshot(todos=[TodoRow(1, "milk")])
    facts.save(tmp_path / "facts.json", given, kills, snapshot)
    assert facts.load(tmp_path / "facts.json") == (given, kills, snapshot)
    assert json.loads((tmp_path / "facts.json").read_text())["attempts"][0]["kind"] == "add"
