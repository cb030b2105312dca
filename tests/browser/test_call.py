"""A call as the page carries it: microphone, frames, playout, interruption, typing, hanging up."""

from __future__ import annotations

import itertools
import struct

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.far_side import FarSide
from tests.browser.steps import counter, start_talking, until, wait_for_state

pytestmark = pytest.mark.browser

SPY = """
  window.asked = 0;
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => {
    window.asked += 1; window.wanted = wanted;
    return real(wanted).then((stream) => (window.stream = stream));
  };
"""
FAIL = "navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{}') }};"
TRACK_STATE = "() => window.stream.getTracks()[0].readyState"


def speak(far: FarSide, *, ms: int, number: int = 1, turn: str = "t1") -> None:
    far.send("state", state="speaking")
    far.send("sentence", turn=turn, seq=0, text="Here is what I did for you.", from_ms=0)
    far.send_audio(number, from_ms=0, ms=ms)


def loudest_frequency(pcm: bytes, rate_hz: int = 16_000) -> float:
    """By counting zero crossings of PCM16."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    crossings = sum(1 for a, b in itertools.pairwise(samples) if (a < 0) != (b < 0))
    return crossings / 2 / (len(samples) / rate_hz)


def test_the_microphone_is_asked_for_on_the_click_and_not_before(open_page: OpenPage) -> None:
    page, far = open_page(script=SPY)
    assert page.evaluate("window.asked") == 0
    start_talking(page)
    assert page.evaluate("window.asked") == 1
    audio = page.evaluate("window.wanted.audio")
    wished = ("echoCancellation", "noiseSuppression", "autoGainControl")
    assert [audio[wish] for wish in wished] == [True, True, True]
    assert far.of_type("start")[0]["microphone"] is True


def test_the_caller_is_sent_as_frames_of_forty_milliseconds_at_sixteen_kilohertz(
    open_page: OpenPage,
) -> None:
    page, far = open_page()
    start_talking(page)
    until(page, lambda: len(far.audio) >= 40)
    assert {len(frame) for frame in far.audio} == {1280}
    assert loudest_frequency(b"".join(far.audio[20:40])) == pytest.approx(440, rel=0.03)
    assert counter(page, "framesSent") >= 40


def test_a_browser_without_a_context_of_sixteen_kilohertz_resamples_itself(
    open_page: OpenPage,
) -> None:
    page, far = open_page(
        script="""
          const Real = window.AudioContext;
          window.AudioContext = class extends Real {
            constructor(wanted) { super({ ...wanted, sampleRate: 44100 }); }
          };
        """
    )
    start_talking(page)
    until(page, lambda: len(far.audio) >= 40)
    assert counter(page, "captureHz") == 44_100
    assert loudest_frequency(b"".join(far.audio[20:40])) == pytest.approx(440, rel=0.03)
    speak(far, ms=400)
    until(page, lambda: far.of_type("played") and far.of_type("played")[-1]["ms"] >= 400)
    assert counter(page, "peak") > 0.2


def test_a_call_is_captured_and_played_at_the_rate_the_server_names(open_page: OpenPage) -> None:
    page, far = open_page(script=SPY, prepare=at_24_khz)
    page.locator("#talk").click()
    until(page, lambda: far.of_type("start"))
    # The first words come with `ready`, while the page still changes its sound: none is lost.
    far.send("ready", call="c1", audio="pcm16/24000")
    speak(far, ms=400)
    until(page, lambda: counter(page, "samplesPlayed") == 400 * 24)
    until(page, lambda: len(far.audio) >= 40)
    assert {len(frame) for frame in far.audio} == {1920}
    heard = loudest_frequency(b"".join(far.audio[20:40]), 24_000)
    assert heard == pytest.approx(440, rel=0.03)
    assert (counter(page, "captureHz"), counter(page, "playoutHz")) == (24_000, 24_000)
    assert far.of_type("played")[-1]["ms"] == 400
    assert counter(page, "samplesDropped") == counter(page, "samplesLate") == 0
    assert page.evaluate("window.asked") == 1

    page.get_by_role("button", name="Hang up").click()
    wait_for_state(page, "idle")
    far.answers_calls, far.rate_hz = True, 16_000
    far.audio.clear()
    start_talking(page)
    until(page, lambda: len(far.audio) >= 10)
    assert {len(frame) for frame in far.audio} == {1280}


def at_24_khz(far: FarSide) -> None:
    far.answers_calls, far.rate_hz = False, 24_000


def test_audio_the_page_does_not_know_ends_the_call_with_a_sentence(open_page: OpenPage) -> None:
    page, far = open_page(script=SPY, prepare=at_24_khz)
    page.locator("#talk").click()
    until(page, lambda: far.of_type("start"))
    far.send("ready", call="c1", audio="opus/48000")
    wait_for_state(page, "idle")
    expect(page.locator(".note")).to_contain_text("Reload it and call again.")
    assert page.evaluate(TRACK_STATE) == "ended"


def test_nothing_is_sent_while_muted(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    until(page, lambda: far.audio)
    page.get_by_role("button", name="Mute the microphone", exact=True).click()
    wait_for_state(page, "muted")
    until(page, lambda: far.of_type("mute"))
    sent = len(far.audio)
    page.wait_for_timeout(400)
    assert len(far.audio) == sent
    page.locator("#talk").click()
    wait_for_state(page, "listening")
    until(page, lambda: len(far.audio) > sent)
    assert [message["muted"] for message in far.of_type("mute")] == [True, False]


def test_a_socket_that_does_not_take_audio_makes_frames_drop_and_count(open_page: OpenPage) -> None:
    page, _far = open_page()
    sent = page.evaluate(
        """async () => {
          const { CallSocket } = await import("/static/voice/js/call-socket.js");
          const call = new CallSocket({});
          const sent = [];
          call.ready = true;
          call.socket = { readyState: 1, bufferedAmount: 0, send: (frame) => sent.push(frame) };
          call.sendAudio(new ArrayBuffer(1280));
          call.socket.bufferedAmount = 64001;
          call.sendAudio(new ArrayBuffer(1280));
          return sent.length;
        }"""
    )
    assert (sent, counter(page, "framesSent"), counter(page, "framesDropped")) == (1, 1, 1)


def test_a_reply_is_heard_and_its_position_told_to_the_end(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    speak(far, ms=1200)
    until(page, lambda: far.of_type("played") and far.of_type("played")[-1]["ms"] >= 1200)
    told = [message["ms"] for message in far.of_type("played")]
    assert told == sorted(told)
    assert len(told) >= 5
    assert {message["turn"] for message in far.of_type("played")} == {"t1"}
    assert counter(page, "samplesPlayed") == 1200 * 16
    assert counter(page, "peak") > 0.2


def test_escape_silences_at_once_tells_the_position_and_drops_what_comes_late(
    open_page: OpenPage,
) -> None:
    page, far = open_page()
    start_talking(page)
    speak(far, ms=5000)
    page.locator(".word-heard").first.wait_for()
    page.keyboard.press("Escape")
    until(page, lambda: counter(page, "lastClearedAt") > 0)
    kinds = [message["type"] for message in far.received]
    assert kinds[kinds.index("interrupt") - 1] == "played"
    far.send("clear", turn="t1", number=1)
    far.send_audio(1, from_ms=5000, ms=500)
    far.send("state", state="listening")
    wait_for_state(page, "listening")
    far.send_audio(2, from_ms=0, ms=100)
    until(page, lambda: counter(page, "samplesLate") == 500 * 16)
    assert counter(page, "samplesPlayed") < 5000 * 16


def test_a_press_while_it_speaks_interrupts(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    speak(far, ms=3000)
    wait_for_state(page, "speaking")
    page.locator("#talk").click()
    until(page, lambda: far.of_type("interrupt"))


def test_typing_opens_a_call_without_a_microphone_and_hears_the_reply(open_page: OpenPage) -> None:
    page, far = open_page(script=SPY)
    page.get_by_label("Type to Convonet").fill("what is due today")
    page.keyboard.press("Enter")
    until(page, lambda: far.of_type("text"))
    assert far.of_type("start")[0]["microphone"] is False
    assert far.of_type("text")[0]["text"] == "what is due today"
    assert page.evaluate("window.asked") == 0
    wait_for_state(page, "ready")
    speak(far, ms=300)
    until(page, lambda: counter(page, "samplesPlayed") == 300 * 16)


def test_the_microphone_can_join_a_typed_call(open_page: OpenPage) -> None:
    page, far = open_page()
    page.get_by_role("button", name="What’s due this week?").click()
    wait_for_state(page, "ready")
    start_talking(page)
    until(page, lambda: far.audio)
    assert len(far.of_type("start")) == 1


def test_hanging_up_says_so_and_closes_the_microphone(open_page: OpenPage) -> None:
    page, far = open_page(script=SPY)
    start_talking(page)
    page.get_by_role("button", name="Hang up").click()
    wait_for_state(page, "idle")
    until(page, lambda: far.of_type("stop"))
    assert page.evaluate(TRACK_STATE) == "ended"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (4409, "You already have as many calls open as allowed."),
        (4430, "This call reached its longest length and ended."),
        (4503, "All lines are busy right now."),
        (1011, "The connection was lost."),
    ],
)
def test_a_closed_call_is_explained_in_a_sentence_and_frees_the_microphone(
    open_page: OpenPage, code: int, sentence: str
) -> None:
    page, far = open_page(script=SPY)
    start_talking(page)
    far.hang_up(code)
    wait_for_state(page, "idle")
    expect(page.locator(".note")).to_contain_text(sentence)
    assert page.evaluate(TRACK_STATE) == "ended"


def test_the_servers_own_words_at_the_end_come_first(open_page: OpenPage) -> None:
    page, far = open_page()
    start_talking(page)
    far.hang_up(4503, "I am not able to take calls right now. Please try again in a minute.")
    expect(page.locator(".note")).to_contain_text("not able to take calls right now")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "The microphone is blocked for this page."),
        ("NotFoundError", "No microphone was found."),
        ("NotReadableError", "The microphone is in use by another program."),
    ],
)
def test_without_a_microphone_the_page_says_why_what_to_do_and_leads_to_typing(
    open_page: OpenPage, error: str, words: str
) -> None:
    page, far = open_page(script=FAIL.format(error))
    page.locator("#talk").click()
    expect(page.locator(".note")).to_contain_text(words)
    expect(page.locator(".note")).to_contain_text("You can type meanwhile.")
    expect(page.get_by_label("Type to Convonet")).to_be_focused()
    assert far.calls == []
    page.keyboard.type("add eggs")
    page.keyboard.press("Enter")
    until(page, lambda: far.of_type("text"))


def test_an_insecure_page_says_how_to_open_it(open_page: OpenPage) -> None:
    page, _far = open_page(
        script="""
          Object.defineProperty(window, "isSecureContext", { value: false });
          Object.defineProperty(navigator, "mediaDevices", { value: undefined });
        """
    )
    page.locator("#talk").click()
    expect(page.locator(".note")).to_contain_text(
        "Browsers give a microphone only to secure pages."
    )


def test_words_typed_in_vain_come_back_to_the_box(open_page: OpenPage) -> None:
    page, _far = open_page()
    page.route("**/call/ticket", lambda route: route.abort())
    page.get_by_label("Type to Convonet").fill("buy milk")
    page.keyboard.press("Enter")
    expect(page.locator(".note")).to_contain_text("The server could not be reached")
    expect(page.get_by_label("Type to Convonet")).to_have_value("buy milk")


def test_the_sound_switch_silences_replies_but_keeps_their_pace(open_page: OpenPage) -> None:
    page, far = open_page()
    page.get_by_role("button", name="Spoken replies").click()
    start_talking(page)
    speak(far, ms=600)
    until(page, lambda: far.of_type("played") and far.of_type("played")[-1]["ms"] >= 600)
    assert page.evaluate("localStorage.getItem('convonet.sound')") == "off"
    reloaded_off(page)


def reloaded_off(page: Page) -> None:
    page.reload()
    expect(page.get_by_role("button", name="Spoken replies")).to_have_attribute(
        "aria-pressed", "false"
    )
