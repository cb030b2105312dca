"""The recorded commands over a telephone line, up to the state they leave."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from convonet.recordings import read_wav
from convonet.telephone_band import through_telephone
from tests.commands.test_forty import NOWS, ROWS, run
from voice.audio import PHONE
from voice.endpointing import Endpoint
from voice.listening import Listener
from voice.options import EndpointOptions
from workers.speech.options import WhisperOptions
from workers.speech.whisper import WhisperTranscriber

AUDIO = Path(__file__).parents[1] / "audio"
BEFORE, AFTER = bytes(16_000), bytes(32_000)
# Five points of eighty recordings.
MOST_LOST = 4


def utterance(recording: Path) -> bytes:
    """What a worker gets of it: cut by the voice gate at the first pause that lasted."""
    line, said = through_telephone(BEFORE + read_wav(recording) + AFTER), b""
    for heard in Listener(PHONE, EndpointOptions()).feed(line):
        if heard.endpoint is Endpoint.PAUSED:
            said = heard.audio
        elif heard.endpoint is Endpoint.ENDED:
            return said
    return said


def wrong_of(words: list[tuple[int, str]]) -> list[str]:
    """Of each that leaves another state, what was heard and replied; once a recording."""
    wrong: dict[tuple[int, str], str] = {}
    for number, heard in dict.fromkeys(words):
        User.objects.all().delete()
        right, reply = run(number, heard, NOWS[0]) if heard else (False, "")
        if not right:
            wrong[number, heard] = f"{number:02d} {heard!r} -> {reply!r}"
    return [wrong[one] for one in words if one in wrong]


# Eighty recognitions: ten seconds of a whole core.
@pytest.mark.timeout(300)
@pytest.mark.django_db
def test_a_telephone_line_costs_at_most_five_points(tmp_path: Path) -> None:
    """Against the same recordings as they were heard in the browser's band."""
    transcriber = WhisperTranscriber(WhisperOptions(cache_dir=tmp_path))
    by_phone = [
        (int(row["file"][:2]), transcriber.transcribe(utterance(AUDIO / row["file"]), PHONE).text)
        for row in ROWS
    ]
    in_browser = [(int(row["file"][:2]), row["heard"]) for row in ROWS]
    wrong = wrong_of(by_phone)
    assert len(wrong) <= len(wrong_of(in_browser)) + MOST_LOST, "\n".join(wrong)
