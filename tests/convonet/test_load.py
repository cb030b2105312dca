"""The arithmetic of `make bench`: plan, what callers hear and say, figures, verdict and tables."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convonet.load import (
    figures,
    loudness,
    plan,
    providers,
    report,
    runaway_figures,
    sampling,
    tokens,
    verdict,
)
from convonet.load.__main__ import written
from convonet.load.beat import Beat
from convonet.load.cgroup import Group, Use
from convonet.load.hearing import Gap, Hearing
from convonet.load.lateness import Late
from convonet.load.sampling import Sample
from convonet.load.talk import PATIENCE_SECONDS, Talk
from voice import g711

MS = 1_000_000


# Plan ---------------------------------------------------------------------------------------
def test_sizes_are_powers_of_two() -> None:
    assert plan.size_of("512M") == 512 << 20
    assert plan.size_of("2G") == 2 << 30
    with pytest.raises(ValueError, match="no size"):
        plan.size_of("512")


def test_stages_rise_and_do_not_repeat() -> None:
    assert plan.counts_of("10,1,10") == (1, 10)
    for text in ("0,1", "", "a"):
        with pytest.raises(ValueError, match=r".+"):
            plan.counts_of(text)


def test_a_share_of_the_calls_comes_from_browsers_spread_evenly() -> None:
    assert [plan.is_browser(n, 50) for n in range(4)] == [False, True, False, True]
    for percent in (0, 20, 100):
        assert sum(plan.is_browser(n, percent) for n in range(100)) == percent


def test_what_is_set_by_hand_comes_last() -> None:
    chosen = plan.Plan(settings=(("SYNTHESIZER", "pico"),))
    told = plan.environment(chosen, "http://127.0.0.1:1", "/marks")
    assert (told["SYNTHESIZER"], told["TRANSCRIBER"]) == ("pico", "openai")
    with pytest.raises(ValueError, match="NAME=VALUE"):
        plan.setting_of("SYNTHESIZER")


def test_with_local_speech_only_the_model_stands_in() -> None:
    told = plan.environment(plan.Plan(local=True), "http://127.0.0.1:1", "/marks")
    assert told["TRANSCRIBER"] == "local"
    assert told["COMPATIBLE_URL"] == "http://127.0.0.1:1/v1"
    assert "OPENAI_AUDIO_URL" not in told


# Callers ------------------------------------------------------------------------------------
def test_sound_that_comes_ahead_has_no_gap() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 100, now=1.0)
    hearing.piece("a", 100, 100, now=1.05)
    counts = hearing.take()
    assert (counts.frames, counts.gaps, counts.lost_ms, counts.doubled_ms) == (10, [], 0, 0)


def test_sound_that_comes_after_the_last_was_heard_leaves_a_gap_of_whole_frames() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 100, now=1.0)
    hearing.piece("a", 100, 100, now=1.125)
    assert hearing.take().gaps == [Gap("a", 1.125, 2)]
    assert hearing.quiet_since(1.3) == pytest.approx(0.075)


def test_the_pause_between_two_turns_is_no_gap() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 100, now=1.0)
    hearing.piece("b", 0, 100, now=9.0)
    assert hearing.take().gaps == []


def test_holes_and_repetitions_are_counted() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 100, now=1.0)
    hearing.piece("a", 140, 100, now=1.0)
    hearing.piece("a", 140, 100, now=1.0)
    counts = hearing.take()
    assert (counts.lost_ms, counts.doubled_ms) == (40, 100)
    assert hearing.take().lost_ms == 0


def test_a_turn_goes_on_from_where_it_was_cleared_or_something_else_was_said() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 1000, now=1.0)
    hearing.clear(1.2)
    hearing.piece("a", 200, 100, now=5.0)
    hearing.piece("b", 0, 100, now=6.0)
    hearing.piece("a", 300, 100, now=7.0)
    counts = hearing.take()
    assert (counts.gaps, counts.lost_ms, counts.doubled_ms) == ([], 0, 0)


def test_what_was_played_is_told_as_it_is_heard() -> None:
    hearing = Hearing()
    hearing.piece("a", 0, 1000, now=1.0)
    assert hearing.played_ms(1.25) == 250
    hearing.clear(1.3)
    assert hearing.quiet_since(1.3) == 0.0


def test_a_caller_speaks_by_the_clock_and_not_over_an_answer() -> None:
    talk, hearing = Talk(every=10, offset=2), Hearing()
    talk.begin(100.0)
    assert not talk.tick(101.9, hearing)
    assert talk.tick(102.0, hearing)
    talk.spoken(103.0)
    assert not talk.tick(112.0, hearing)
    hearing.piece("a", 0, 2000, now=112.5)
    assert not talk.tick(113.0, hearing)
    assert talk.tick(115.0, hearing)
    told = talk.take()
    assert (told.said, told.held) == (2, 1)
    ((ended, reply),) = told.answers
    assert (ended, reply.first_at, told.spoken) == (103.0, 112.5, [103.0])


def test_a_caller_without_an_answer_asks_again() -> None:
    talk, hearing = Talk(every=10, offset=0), Hearing()
    talk.begin(0.0)
    assert talk.tick(0.0, hearing)
    talk.spoken(1.0)
    assert not talk.tick(1.0 + PATIENCE_SECONDS, hearing)
    assert talk.tick(1.1 + PATIENCE_SECONDS, hearing)
    assert talk.take().unanswered == 1


def test_lateness_is_told_in_milliseconds() -> None:
    late = Late()
    for ms in range(100):
        late.add(ms / 1000)
    assert late.quantile(0.5) == 49
    assert late.told()["p99_ms"] == 98
    assert (late.told()["most_ms"], late.told()["over_20_ms"]) == (99, 79)
    late.clear()
    assert late.quantile(0.99) == 0


# Services -----------------------------------------------------------------------------------
async def test_the_model_asks_for_a_tool_in_its_share_of_the_turns_and_once_in_each() -> None:
    services = providers.Services(think=0, tool_percent=50)
    tools = [{"type": "function", "function": {"name": plan.TOOL}}]
    user, tool = {"role": "user", "content": "?"}, {"role": "tool", "content": "{}"}
    wants = []
    for messages in ([user], [user], [user, tool], [user]):
        asked = json.dumps({"messages": messages, "tools": tools}).encode()
        _, body = await services.answer("/v1/chat/completions", asked)
        wants.append(json.loads(body)["choices"][0]["finish_reason"] == "tool_calls")
    assert wants == [False, True, False, False]


def test_a_streamed_answer_ends_as_it_should() -> None:
    kind, body = providers.completion(stream=True, token="zobabebi")
    lines = [line for line in body.decode().split("\n\n") if line]
    assert kind == "text/event-stream"
    assert lines[-1] == "data: [DONE]"
    pieces = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    said = "".join(c["delta"].get("content") or "" for p in pieces for c in p["choices"])
    assert said == "".join(providers.ANSWER).format("zobabebi")


def test_speech_is_as_long_as_its_text() -> None:
    assert len(providers.speech(20)) == 2 * int(20 * 0.055 * 24_000)


async def test_a_turn_is_known_by_one_word_at_every_service() -> None:
    log = io.StringIO()
    services = providers.Services(think=0, tool_percent=0, log=log)
    _, heard = await services.answer("/v1/audio/transcriptions", b"RIFF")
    messages = [{"role": "user", "content": json.loads(heard)["text"]}]
    _, body = await services.answer(
        "/v1/chat/completions", json.dumps({"messages": messages}).encode()
    )
    answer = json.loads(body)["choices"][0]["message"]["content"]
    await services.answer("/v1/audio/speech", json.dumps({"input": answer}).encode())
    services_by_key = figures.works(log.getvalue().splitlines())
    ((key, work),) = services_by_key.items()
    assert key == tokens.found(answer)
    assert [one.service for one in work] == ["transcriptions", "completions", "speech"]
    assert all(one.arrived <= one.answered for one in work)


async def test_a_caller_in_the_address_is_the_key() -> None:
    log = io.StringIO()
    services = providers.Services(think=0, tool_percent=0, log=log)
    await services.answer("/calls/CA1/v1/audio/speech", b'{"input": "Hello."}')
    assert list(figures.works(log.getvalue().splitlines())) == ["CA1"]


async def test_who_is_offered_a_tool_that_runs_away_gets_it() -> None:
    services = providers.Services(think=0, tool_percent=0)
    tools = [{"type": "function", "function": {"name": name}} for name in plan.RUNAWAYS[1:]]
    asked = json.dumps({"messages": [{"role": "user", "content": "?"}], "tools": tools})
    _, body = await services.answer("/v1/chat/completions", asked.encode())
    (call,) = json.loads(body)["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] in plan.RUNAWAYS[1:]


@given(st.integers(0, tokens.NUMBER - 1), st.integers(0, tokens.NUMBER - 1))
def test_tokens_are_found_again_and_differ(one: int, other: int) -> None:
    text = providers.HEARD.format(tokens.token(one))
    assert tokens.found(text) == tokens.token(one)
    assert (tokens.token(one) == tokens.token(other)) == (one == other)


def test_the_answer_is_told_from_words_to_wait_by_its_loudness() -> None:
    for loud, kind in ((True, loudness.LOUD), (False, loudness.QUIET)):
        pcm = providers.speech(10, loud=loud)
        assert loudness.of_pcm(pcm) == kind
        assert loudness.of_mulaw(g711.encode(pcm)) == kind
    assert loudness.of_mulaw(bytes([0xFF] * 160)) == loudness.of_pcm(bytes(320)) == loudness.SILENT


def test_the_first_of_the_answer_is_told_from_what_was_said_before_it() -> None:
    hearing = Hearing()
    hearing.heard("a", 0, 100, loudness.QUIET, now=1.0)
    hearing.heard("a", 100, 100, loudness.LOUD, now=1.5)
    assert hearing.reply is not None
    assert (hearing.reply.first_at, hearing.reply.answered_at) == (1.0, 1.5)


def test_a_server_that_names_no_turns_is_heard_by_what_was_said() -> None:
    hearing = Hearing()
    for said, at in ((1, 1.0), (1, 1.5), (2, 9.0)):
        hearing.said = said
        hearing.heard("", None, 100, loudness.LOUD, now=at)
        hearing.heard("", None, 100, loudness.SILENT, now=at)
    counts = hearing.take()
    assert (counts.gaps, counts.frames) == ([Gap("1", 1.5, 20)], 15)
    assert (counts.lost_ms, counts.doubled_ms) == (0, 0)


# The beat -----------------------------------------------------------------------------------
async def test_everybody_is_called_by_their_period_and_no_two_at_once_if_there_is_room() -> None:
    now = 0.0
    beat = Beat(lambda: now)
    called: dict[str, list[float]] = {}
    done = asyncio.Event()

    def step(name: str) -> Callable[[float, float], None]:
        def called_at(at: float, due: float) -> None:
            called.setdefault(name, []).append(round(due, 3))
            if len(called[name]) == 3:
                done.set()

        return called_at

    removals = [beat.add(step(name), period) for name, period in (("a", 20), ("b", 20), ("c", 40))]
    now = 0.1
    await done.wait()
    for remove in removals:
        remove()
    assert called["a"][:3] == pytest.approx([0.0, 0.02, 0.04])
    assert called["b"][1] - called["b"][0] == pytest.approx(0.02)
    assert called["c"][1] - called["c"][0] == pytest.approx(0.04)
    assert not set(called["a"]) & set(called["b"]) | set(called["a"]) & set(called["c"])


# Figures ------------------------------------------------------------------------------------
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


# Verdict ------------------------------------------------------------------------------------
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


def test_the_limit_is_the_last_stage_before_the_first_that_gives_way() -> None:
    stages = [{"wanted": n, "gives_way": ["x"] if n > 3 else []} for n in (1, 3, 10)]
    assert verdict.limit(stages) == {"holds": 3, "fails": 10, "first": ["x"]}


# Tables -------------------------------------------------------------------------------------
def run_of(name: str = "daphne", **more: Any) -> dict[str, Any]:
    one = stage() | {"gives_way": []}
    told_runaway = runaway_figures.of_stage(taken([call()], [turn()]), [], 0.6)
    one["runaway"] = told_runaway | {"counted": {"memory_errors": 2}}
    return {
        "at": "2026-01-02T03:04:05+00:00",
        "machine": {"cores": 2, "python": "3.11"},
        "subject": {"name": name, "told": "the product behind Daphne"},
        "plan": {
            **{"counts": [1], "browser_percent": 0, "speak": 60.0, "every": 10.0, "think": 1.5},
            **{"tool_percent": 20, "local": False, "limit_bytes": 512 << 20, "settings": ["A"]},
            **{"runaway": 20.0, "after": 60.0},
        },
        **{"idle": one["speaking"], "warm": one["speaking"], "after": one["speaking"]},
        "stages": [one],
        "calls": {"number": 1, "reasons": {"hung up": 1}, "dropped_chunks": 0},
        "limit": verdict.limit([one]),
        **more,
    }


def test_every_table_is_whole() -> None:
    text = report.markdown([run_of(), run_of("pipecat-bare")])
    assert "All holds up to 1 calls" in text
    assert "memory cgroup of 512 mb" in text.lower()
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("| ")]
    assert len(tables) == 1 + 2 * 5
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1, lines


def test_a_table_takes_the_place_of_the_run_of_its_name() -> None:
    text = written(written("# Bench\n", "512M", "old\n"), "1G", "other\n")
    assert written(text, "512M", "new\n") == text.replace("old", "new")
    assert text.startswith("# Bench\n")


# The control group --------------------------------------------------------------------------
def test_both_versions_are_read(tmp_path: Path) -> None:
    second, first = tmp_path / "2", tmp_path / "1"
    for path, files in {
        second: {
            "memory.stat": "inactive_file 10\n",
            "memory.current": "110\n",
            "memory.peak": "200\n",
            "memory.events": "max 7\noom 3\noom_kill 2\n",
        },
        first: {
            "memory.stat": "inactive_file 1\ntotal_inactive_file 10\n",
            "memory.usage_in_bytes": "110\n",
            "memory.max_usage_in_bytes": "200\n",
            "memory.failcnt": "4\n",
            "memory.memsw.failcnt": "3\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        },
    }.items():
        path.mkdir()
        for name, content in files.items():
            (path / name).write_text(content)
    expected = Use(used=100, charged=110, peak=200, refused=7, oom_kills=2)
    assert Group(second, 2).use() == Group(first, 1).use() == expected
