"""Socket bytes to utterances, with the recorded voices."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from convonet.recordings import read_wav, speech_start_ms
from voice.audio import BROWSER, MODEL_RATE, PHONE, AudioFormat
from voice.endpointing import Endpoint
from voice.listening import Heard, Listener
from voice.options import EndpointOptions
from workers.speech.sound import to_bytes, to_samples

AUDIO = Path(__file__).resolve().parents[1] / "audio"
OPTIONS = EndpointOptions()
EACH = pytest.mark.parametrize("line", [BROWSER, PHONE, MODEL_RATE], ids=str)


def hear(
    pcm: bytes, *, message_ms: int = 40, line: AudioFormat = BROWSER
) -> Iterator[tuple[int, Heard]]:
    """(ms into the audio, transition) of it followed by a second of silence."""
    listener = Listener(line, OPTIONS)
    data = sent_as(line, pcm + bytes(BROWSER.bytes_per_second))
    size = line.bytes_of(message_ms)
    for at in range(0, len(data), size):
        for heard in listener.feed(data[at : at + size]):
            yield line.ms_of(at), heard


def sent_as(line: AudioFormat, pcm: bytes) -> bytes:
    rate = line.rate_hz
    return pcm if line == BROWSER else to_bytes(to_samples(pcm, BROWSER, rate), rate, line)


def hiss(seconds: float, level: int) -> bytes:
    noise = random.Random(7)
    samples = (noise.randint(-level, level) for _ in range(int(16_000 * seconds)))
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


@EACH
@pytest.mark.parametrize("name", ["00-man", "00-woman", "17-woman", "38-man", "20-woman"])
def test_a_recording_is_one_utterance(name: str, line: AudioFormat) -> None:
    pcm = read_wav(AUDIO / f"{name}.wav")
    heard = [h for _, h in hear(pcm, line=line)]
    assert [h.endpoint for h in heard if h.endpoint in (Endpoint.STARTED, Endpoint.ENDED)] == [
        Endpoint.STARTED,
        Endpoint.ENDED,
    ]
    assert heard[-1].silence_ms == OPTIONS.end_ms


@EACH
@pytest.mark.parametrize("name", ["17-woman", "14-man", "38-woman"])
def test_speech_is_noticed_within_a_fifth_of_a_second_and_not_before_it(
    name: str, line: AudioFormat
) -> None:
    pcm = read_wav(AUDIO / f"{name}.wav")
    began = next(ms for ms, h in hear(pcm, line=line) if h.endpoint is Endpoint.STARTED)
    assert 0 <= began - speech_start_ms(pcm) <= 200


@EACH
def test_the_utterance_keeps_the_lead_in_as_it_was_sent(line: AudioFormat) -> None:
    pcm = read_wav(AUDIO / "14-man.wav")
    (ended,) = [h for _, h in hear(pcm, line=line) if h.endpoint is Endpoint.ENDED]
    sent = sent_as(line, pcm + bytes(BROWSER.bytes_per_second))
    at = sent.index(ended.audio)
    assert line.ms_of(at) < speech_start_ms(pcm) < line.ms_of(at + len(ended.audio))


@EACH
def test_faint_hiss_and_silence_are_no_speech(line: AudioFormat) -> None:
    assert list(hear(hiss(3.0, 60) + bytes(96_000), line=line)) == []


@EACH
@pytest.mark.parametrize("message_ms", [10, 20, 33, 40, 100, 200])
def test_the_size_of_messages_makes_no_difference(message_ms: int, line: AudioFormat) -> None:
    pcm = read_wav(AUDIO / "00-man.wav")
    whole = [h for _, h in hear(pcm, message_ms=20, line=line)]
    assert [h for _, h in hear(pcm, message_ms=message_ms, line=line)] == whole


def test_a_voice_on_the_phone_is_heard_when_it_is_in_the_browser() -> None:
    pcm = read_wav(AUDIO / "09-woman.wav")
    for wide, phone in zip(hear(pcm), hear(pcm, line=PHONE), strict=True):
        assert wide[1].endpoint is phone[1].endpoint
        assert abs(wide[0] - phone[0]) <= 100


@pytest.mark.parametrize("line", [AudioFormat("pcm16", 22_050), AudioFormat("mulaw", 11_025)])
def test_a_rate_the_voice_gate_does_not_take_is_refused_before_a_call_begins(
    line: AudioFormat,
) -> None:
    with pytest.raises(ValueError, match=str(line)):
        Listener(line, OPTIONS)


def test_endless_noise_never_holds_more_than_one_utterance() -> None:
    loud = hiss(95.0, 12_000)
    sizes = [len(h.audio) for _, h in hear(loud, message_ms=200)]
    assert max(sizes) <= BROWSER.bytes_of(OPTIONS.most_ms + 1000)
