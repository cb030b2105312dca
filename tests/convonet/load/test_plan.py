"""What a run does, from its options."""

from __future__ import annotations

import pytest

from convonet.load import plan


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


def test_the_product_chooses_how_many_calls_it_takes_unless_more_are_made() -> None:
    assert "MAX_CALLS" not in plan.environment(plan.Plan(counts=(100,)), "http://x", "/marks")
    assert plan.environment(plan.Plan(counts=(101,)), "http://x", "/marks")["MAX_CALLS"] == "101"
    searching = plan.Plan(counts=(25,), until_limit=True)
    assert plan.environment(searching, "http://x", "/m")["MAX_CALLS"] == str(plan.MOST_CALLS)
    assert plan.environment(plan.Plan(counts=()), "http://x", "/m")["MAX_CALLS_PER_USER"] == "1"


def test_a_search_for_the_limit_goes_on_beyond_its_last_stage_if_it_is_to() -> None:
    searching = plan.Plan(counts=(25, 50), until_limit=True)
    assert searching.every_count()[:4] == [25, 50, 75, 100]
    assert searching.every_count()[-1] <= plan.MOST_CALLS
    assert plan.Plan(counts=(25, 50), until_limit=True, beyond=False).every_count() == [25, 50]
    assert plan.Plan(counts=()).every_count() == []
