"""Hearing and speaking by the real services, for whoever has keys (`make live`); less than a cent.

The keys and variables are the product's own (docs/providers.md).
"""

from __future__ import annotations

import pytest
from django.utils.module_loading import import_string

from convonet import providers
from convonet.providers import HEARING, SPEAKING, Provider
from tests.providers.speech.test_hearing import WORDS, plain, recorded
from tests.standins.speech_http import Hear
from tests.workers.speech.speaking import say
from voice.audio import BROWSER, PHONE, AudioFormat
from workers.errors import SpeechError
from workers.ports import Manner, Synthesizer, Transcriber
from workers.speech.sound import to_bytes, to_samples

pytestmark = pytest.mark.live
HEARS = [name for name, provider in HEARING.items() if provider.key]
SPEAKS = [name for name, provider in SPEAKING.items() if provider.key]
TEXT = "You have three todos today."


def skip_without(provider: Provider) -> None:
    if lacking := providers.missing(provider):
        pytest.skip(lacking)


@pytest.fixture(params=HEARS)
def hearing(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    skip_without(HEARING[name])
    return name


@pytest.fixture(params=SPEAKS)
def speaking(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    skip_without(SPEAKING[name])
    return name


def ears(name: str) -> Transcriber:
    made: Transcriber = import_string(HEARING[name].path)()
    return made


def voice(name: str) -> Synthesizer:
    made: Synthesizer = import_string(SPEAKING[name].path)()
    return made


@pytest.mark.parametrize("audio_format", [BROWSER, PHONE], ids=str)
def test_words_are_heard(hearing: str, audio_format: AudioFormat) -> None:
    audio = to_bytes(to_samples(recorded(), BROWSER, 16_000), 16_000, audio_format)
    heard = ears(hearing).transcribe(audio, audio_format)
    assert plain(heard.text) == WORDS
    assert heard.language in ("", "en")


def test_silence_is_no_words(hearing: str) -> None:
    silence = bytes(BROWSER.bytes_of(1_500))
    assert ears(hearing).transcribe(silence, BROWSER).text == ""


def test_a_wrong_key_is_told_from_all_else_when_hearing(
    hearing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_key(HEARING[hearing], monkeypatch)
    with pytest.raises(SpeechError) as raised:
        ears(hearing).transcribe(recorded(), BROWSER)
    assert raised.value.code == "speech_auth"


@pytest.mark.parametrize("audio_format", [BROWSER, PHONE], ids=str)
def test_a_sentence_can_be_understood(speaking: str, hear: Hear, audio_format: AudioFormat) -> None:
    audio = say(voice(speaking), TEXT, audio_format)
    assert 1_000 < audio_format.ms_of(len(audio)) < 5_000
    assert "today" in plain(hear(audio, audio_format))


def test_another_language_is_spoken(speaking: str) -> None:
    made = voice(speaking).synthesize("Heute sind drei Dinge zu tun.", BROWSER, Manner("de"))
    assert BROWSER.ms_of(len(b"".join(made))) > 1_000


def test_a_wrong_key_is_told_from_all_else_when_speaking(
    speaking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_key(SPEAKING[speaking], monkeypatch)
    with pytest.raises(SpeechError) as raised:
        say(voice(speaking), TEXT)
    assert raised.value.code == "speech_auth"


def test_a_voice_that_does_not_exist_is_refused(speaking: str) -> None:
    with pytest.raises(SpeechError) as raised:
        b"".join(voice(speaking).synthesize(TEXT, BROWSER, Manner("", "no-such-voice")))
    assert raised.value.code == "speech_refused"


def spoil_key(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (provider.key, provider.instead_of_key):
        if name:
            monkeypatch.setenv(name, "wrong")
