"""The admin's pages about providers: what they tell, and whom."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from convonet.prices import SOURCES
from voice import usage
from voice.models import Call, ProviderUse, Turn
from voice.uses import Use, record

pytestmark = pytest.mark.django_db
PAGE = "/admin/voice/provideruse/providers/"
LIST = "/admin/voice/provideruse/"


@pytest.fixture(autouse=True)
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TRANSCRIBERS = ["deepgram", "local"]
    settings.LANGUAGE_MODELS = ["openai", "local"]
    settings.SYNTHESIZERS = ["pico"]
    for name in ("DEEPGRAM_API_KEY", "OPENAI_API_KEY", "ELEVENLABS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEEPGRAM_API_KEY", "a-secret-key")


@pytest.fixture
def turn() -> Turn:
    call = Call.objects.create(user=User.objects.create_user("anna"))
    return Turn.objects.create(call=call, number=3, transcript="my secret words", utterance_id="u")


def signed_in(*permissions: str, **values: Any) -> Client:
    user = User.objects.create_user("reader", is_staff=True, **values)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    found = re.search(r'id="content".*', answer.content.decode(), re.DOTALL)
    assert found is not None
    words = re.sub(r"\s+", " ", strip_tags(found.group().replace("<", " <")))
    return re.sub(r" (?=[.,:;)])|(?<=\() ", "", words)


def ask(turn: Turn) -> None:
    limited = Use("think", "openai", "gpt-5.4-mini", error="model_rate", took_ms=90)
    answered = Use("think", "local", why="fallback", first_ms=3, took_ms=4)
    record(limited, answered, call_id=turn.call_id, turn_id=turn.pk)
    record(
        Use("hear", "deepgram", "nova-3", first_ms=150, took_ms=1240, audio_ms=60_000),
        call_id=turn.call_id,
        utterance_id="u",
    )


@pytest.mark.parametrize("path", [PAGE, LIST])
def test_strangers_and_staff_without_the_permission_see_nothing(path: str, turn: Turn) -> None:
    assert Client().get(path).status_code == 302
    assert signed_in("view_turn", "view_call").get(path).status_code == 403


@pytest.mark.parametrize("path", [PAGE, LIST])
def test_people_who_are_no_staff_see_nothing_even_with_the_permission(path: str) -> None:
    client = Client()
    user = User.objects.create_user("reader")
    user.user_permissions.set(Permission.objects.filter(codename="view_provideruse"))
    client.force_login(user)
    assert client.get(path).status_code == 302


def test_every_stage_tells_who_was_asked_how_that_went_and_what_it_cost(turn: Turn) -> None:
    ask(turn)
    told = text_of(signed_in("view_provideruse", "view_turn").get(PAGE))
    assert "3 questions, estimated cost $0.0077." in told
    assert "Deepgram asked first" in told
    assert "Whisper tiny.en asked when the one before it fails" in told
    assert "Deepgram nova-3 1 – – 150 ms / 150 ms 1.24 s / 1.24 s 1.0 min of speech $0.0077" in told
    assert "OpenAI gpt-5.4-mini 1 1 1 × too many requests – – – – $0" in told
    assert "Local commands 1 – 1 3 ms / 3 ms 4 ms / 4 ms – $0" in told
    assert "Not asked in the last day." in told
    assert all(source in told for source in SOURCES.values())


def test_the_configuration_tells_what_is_missing_and_no_key(turn: Turn) -> None:
    told = text_of(signed_in("view_provideruse").get(PAGE))
    assert "OpenAI needs OPENAI_API_KEY." in told
    assert "ElevenLabs (elevenlabs): ElevenLabs needs ELEVENLABS_API_KEY." in told
    assert "Deepgram Aura (deepgram): could be used at once." in told
    assert "a-secret-key" not in told


def test_failures_link_to_their_turns_for_those_who_may_see_turns(turn: Turn) -> None:
    ask(turn)
    link = f"/admin/voice/turn/{turn.pk}/change/"
    seeing = signed_in("view_provideruse", "view_turn").get(PAGE)
    assert "thinking by OpenAI: too many requests · turn 3" in text_of(seeing)
    assert link in seeing.content.decode()
    User.objects.get(username="reader").delete()
    blind = signed_in("view_provideruse").get(PAGE)
    assert "thinking by OpenAI: too many requests" in text_of(blind)
    assert link not in blind.content.decode()


@pytest.mark.parametrize("path", [PAGE, LIST])
def test_a_turns_words_are_never_shown_here(path: str, turn: Turn) -> None:
    ask(turn)
    assert "secret words" not in signed_in("view_provideruse").get(path).content.decode()


@pytest.mark.parametrize(
    ("over", "questions"),
    [("hour", "0 questions"), ("day", "1 question"), ("week", "2 questions"), ("x", "1 question")],
)
def test_the_period_is_chosen(over: str, questions: str) -> None:
    for days in (0.5, 3, 30):
        record(Use("think", "local"), call_id=None)
        newest = ProviderUse.objects.latest("pk")
        then = timezone.now() - timedelta(days=days)
        ProviderUse.objects.filter(pk=newest.pk).update(at=then)
    told = text_of(signed_in("view_provideruse").get(PAGE, {"over": over}))
    assert f"{questions}, estimated cost" in told


def test_more_questions_than_are_looked_at_are_said_to_be_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usage, "MOST_QUESTIONS", 2)
    record(*(Use("think", "local") for _ in range(5)), call_id=None)
    told = text_of(signed_in("view_provideruse").get(PAGE))
    assert "only the newest 2 questions are counted" in told


def test_single_questions_are_listed_filtered_and_lead_to_their_turns(turn: Turn) -> None:
    ask(turn)
    client = signed_in("view_provideruse")
    page = client.get(LIST)
    assert page.content.decode().count(f"/admin/voice/turn/{turn.pk}/change/") == 3
    failed = text_of(client.get(LIST, {"outcome": "failed", "provider": "openai"}))
    assert "too many requests" in failed
    assert "Local commands, thinking" not in failed
    answered = text_of(client.get(LIST, {"outcome": "answered", "stage__exact": "think"}))
    assert "Local commands, thinking" in answered
    assert "too many requests" not in answered


def test_the_list_asks_as_many_queries_for_few_questions_as_for_many(turn: Turn) -> None:
    client = signed_in("view_provideruse")

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(LIST)
        return len(asked)

    ask(turn)
    few = queries()
    for _ in range(5):
        ask(turn)
    assert queries() == few


def test_one_question_is_shown_and_changed_by_nobody(turn: Turn) -> None:
    ask(turn)
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    page = f"{LIST}{ProviderUse.objects.earliest('pk').pk}/change/"
    assert "model_rate" in text_of(client.get(page))
    assert client.post(page, {"provider": "else"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403


def test_the_pages_of_a_turn_and_its_call_tell_who_was_asked(turn: Turn) -> None:
    ask(turn)
    client = signed_in("view_turn", "view_call")
    for path in (f"turn/{turn.pk}", f"call/{turn.call_id}"):
        told = text_of(client.get(f"/admin/voice/{path}/change/"))
        assert "Who was asked $0.0077" in told
        assert "Thinking OpenAI gpt-5.4-mini, the server&#x27;s default:" in told
        assert "too many requests, gave up after 90 ms" in told
        assert told.index("Hearing") < told.index("too many requests") < told.index("Local comm")
    assert "Estimated cost $0.0077" in told


def test_the_list_of_turns_tells_who_answered_each(turn: Turn) -> None:
    Turn.objects.create(call=turn.call, number=4, model_name="openai/gpt-5.4-mini")
    told = text_of(signed_in("view_turn").get("/admin/voice/turn/"))
    assert told.count("OpenAI") == 1
    assert "Answered by" in told


def test_a_turn_from_before_providers_were_kept_is_told_without_them(turn: Turn) -> None:
    told = text_of(signed_in("view_turn").get(f"/admin/voice/turn/{turn.pk}/change/"))
    assert "Who was asked" not in told


def test_the_front_page_and_the_sidebar_lead_to_the_providers(turn: Turn) -> None:
    ask(turn)
    front = signed_in("view_provideruse").get("/admin/").content.decode()
    assert front.count(f'href="{PAGE}"') == 2
    assert "$0.0077" in front
    User.objects.get(username="reader").delete()
    assert PAGE not in signed_in("view_call").get("/admin/").content.decode()
