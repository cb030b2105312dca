"""A stage's figures, and whether a stage holds."""

from __future__ import annotations

from typing import Any

import pytest

from convonet.load import figures, sampling, verdict
from convonet.load.lateness import Late
from convonet.load.sampling import Sample
from tests.convonet.load.builders import WAYS, WORK, call, stage, taken, turn, way


def test_overhead_is_what_the_services_did_not_take() -> None:
    told = figures.of_stage(taken([call()], [turn()]), WAYS, WORK, silence=0.6)
    # Of the 1.6 s from 1.6 until 3.2 they took 1.5; recognition was over before.
    assert told["whole_overhead_ms"]["median"] == 100.0
    assert told["overhead_ms"]["median"] == 90.0
    assert told["decided_ms"]["median"] == 10.0
    assert told["start_ms"]["p99"] == 30.0
    assert told["answer_ms"]["p99"] == 2000.0
    assert told["started_in_time_percent"] == 100.0


def test_recognition_counts_as_the_services_time_as_far_as_somebody_waited_for_it() -> None:
    work = {"zo": [figures.Work("transcriptions", 1.5, 1.62), *WORK["zo"][1:]]}
    told = figures.of_stage(taken([call()], [turn()]), WAYS, work, silence=0.6)
    assert told["whole_overhead_ms"]["median"] == 80.0


def test_without_stand_ins_for_speech_there_is_no_overhead_to_tell() -> None:
    told = figures.of_stage(taken([call()], [turn()]), WAYS, {}, silence=0.6)
    assert told["whole_overhead_ms"] is None
    assert told["answer_ms"]["number"] == 1


def test_what_a_stand_in_did_for_an_earlier_turn_is_not_this_ones() -> None:
    earlier = [figures.Work("completions", 0.1, 0.2), *WORK["zo"]]
    told = figures.of_stage(taken([call()], [turn()]), WAYS, {"zo": earlier}, silence=0.6)
    assert told["start_ms"]["p99"] == 30.0


def test_time_in_which_two_services_were_at_work_counts_once() -> None:
    assert figures.covered([(0.0, 2.0), (1.0, 3.0), (5.0, 4.0), (6.0, 7.0)]) == 4.0


def test_a_turn_that_no_worker_began_was_not_begun_in_time() -> None:
    caller = call(said=2, spoken=[1.0, 9.0])
    told = figures.of_stage(taken([caller], [turn()]), WAYS, WORK, 0.6)
    assert told["started_in_time_percent"] == 50.0
    assert told["turns"]["missing"] == 1


def test_a_frame_is_taken_in_time_if_it_is_read_before_the_next_is_due() -> None:
    given = taken([call()], [turn()])
    late = Late()
    for ms in (1, 25):
        late.add(ms / 1000)
    told = figures.of_stage({**given, "taken": late.told()}, WAYS, WORK, 0.6)
    assert told["taken_in_time_percent"] == 50.0


def test_a_turn_of_nothing_said_does_not_make_up_for_one_that_is_missing() -> None:
    calls, turns = [call("a"), call("b")], [turn("1", "a"), turn("2", "a")]
    balance = figures.balance(calls, turns)
    assert balance == {"missing": 1, "too_many": 1, "open": 0}


def test_the_gap_between_a_filler_and_the_reply_is_not_late() -> None:
    gaps = [["t", 2.0, 9], ["t", 5.0, 3], ["u", 9.0, 4]]
    assert figures.late_frames(gaps, {"t": way(sent=1990), "u": {}}) == 3
    # A peer notes no sounds of its own, and says no words to wait.
    assert figures.late_frames([["1", 9.0, 4]], {}) == 4


def test_memory_is_the_median_and_processor_time_the_difference() -> None:
    def sample(at: float, web: int, cpu: float) -> Sample:
        return Sample(at, {"web": web * 1024}, {"web": 1}, {"web": cpu, "(machine)": 2 * cpu}, None)

    told = sampling.window([sample(0, 80, 5), sample(2, 90, 6), sample(4, 100, 7)])
    assert told["mb"] == {"web": 90.0}
    assert told["most_mb"] == 100.0
    assert told["cpu_percent"] == {"web": 50.0, "(machine)": 100.0}
    assert told["cgroup"] is None


def test_a_stage_in_which_all_holds_gives_way_nowhere() -> None:
    assert verdict.gives_way(stage(), limit_mb=512, cores=2) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"up": 0}, "0 of 1 are up"),
        ({"dropped": 1}, "1 dropped"),
        ({"doubled_ms": 20}, "sent twice"),
        ({"started_in_time_percent": 98.0}, "98.0 % were begun"),
        ({"late_percent": 2.0}, "2.0 % of the frames"),
        ({"unanswered": 3}, "3 got no answer"),
        ({"driver": {"p99_ms": 30.0}}, "30 ms late"),
    ],
)
def test_what_does_not_hold_is_named(change: dict[str, Any], words: str) -> None:
    (said,) = verdict.gives_way(stage(**change), limit_mb=0, cores=2)
    assert words in said


def test_memory_gives_way_at_four_fifths_of_the_limit_or_with_the_first_kill() -> None:
    (said,) = verdict.gives_way(stage(), limit_mb=110, cores=2)
    assert said.startswith("memory: 100 MB")
    killed = stage()
    killed["speaking"]["cgroup"]["oom_kills"] = 2
    assert verdict.gives_way(killed, 512, 2) == ["memory: the kernel has killed 2 times"]


def test_a_core_that_is_taken_is_named_by_who_takes_it() -> None:
    busy = stage()
    busy["speaking"]["cpu_percent"] = {"web": 97.0, "(machine)": 195.0}
    first, second = verdict.gives_way(busy, 0, 2)
    assert first == "processor: web takes 97 % of a core"
    assert second.startswith("processor: all 2 cores")


def test_what_the_host_withheld_is_told_beside_what_gave_way_and_is_no_reason_itself() -> None:
    starved = stage()
    starved["speaking"]["cpu_percent"] |= {"(stolen)": 30.0}
    assert verdict.gives_way(starved, 0, 2) == []
    starved["figures"]["late_percent"] = 4.0
    assert verdict.gives_way(starved, 0, 2)[1:] == ["machine: its host withheld 30 % of a core"]


def test_the_limit_is_the_last_stage_before_the_first_that_gives_way() -> None:
    stages = [{"wanted": n, "gives_way": ["x"] if n > 3 else []} for n in (1, 3, 10)]
    assert verdict.limit(stages) == {"holds": 3, "fails": 10, "first": ["x"]}
