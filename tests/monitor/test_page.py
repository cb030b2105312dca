"""The operators' page about memory: what it tells, and whom."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from monitor import client, samples
from monitor.board import State
from monitor.snapshot import Ending
from tests.monitor.made import reading, snapshot

pytestmark = pytest.mark.django_db
PAGE = "/admin/monitor/memorysample/"


def signed_in(*permissions: str, **values: Any) -> Client:
    user = User.objects.create_user("reader", is_staff=True, **values)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    found = re.search(r'id="content".*', answer.content.decode(), re.DOTALL)
    assert found is not None
    return re.sub(r"\s+", " ", strip_tags(found.group().replace("<", " <")))


def tell(monkeypatch: pytest.MonkeyPatch, state: State | None) -> None:
    monkeypatch.setattr(client, "state", lambda: state)


def state_now() -> State:
    now = time.time()
    return State(
        snapshots=[
            snapshot(
                reading("web", 11, pss=80 * 1024, base=70 * 1024, started=now - 7200),
                reading("agent child", 12, pss=20 * 1024, started=now - 30),
                at=now,
            ),
            snapshot(reading("speech", 13, pss=300 * 1024), host="two", at=now),
        ],
        calls=3,
        counters={"calls_refused": 9, "fillers": 0},
        endings=[Ending(now, "two", "speech", 99, "killed", "SIGKILL")],
    )


def test_it_is_for_who_may_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(monkeypatch, None)
    assert Client().get(PAGE).status_code == 302
    assert signed_in("view_call").get(PAGE).status_code == 403


def test_now_by_role_and_process(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(monkeypatch, state_now())
    said = text_of(signed_in("view_memorysample").get(PAGE))
    assert "400 MB in 3 processes, 3 calls in progress" in said
    assert "web 80.0 +10.0 20 % 1" in said
    assert "agent child 20.0 – 5 % 1" in said
    assert "web 11 one 80.0 +10.0 2 h 00 1.0 4.0" in said
    assert "50 % of 512 MB used (cgroup v2)" in said
    assert "Profile medium, because CONVONET_PROFILE asks for it: 3 agent children" in said
    assert "Calls refused, as no line was free 0 9 in all" in said
    assert "speech child 99 on two: killed (SIGKILL)" in said
    assert "Callers told to wait" not in said


def test_one_machine_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(monkeypatch, state_now())
    browser = signed_in("view_memorysample")
    said = text_of(browser.get(PAGE, {"host": "two"}))
    assert "300 MB in 1 process," in said
    assert "web 11" not in said
    assert "400 MB in 3 processes" in text_of(browser.get(PAGE, {"host": "<none>"}))


def test_the_graph_shows_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(monkeypatch, state_now())
    at = (timezone.now() - timedelta(minutes=20)).timestamp()
    samples.keep([snapshot(reading("web", pss=80 * 1024), at=at, calls=2)], {})
    browser = signed_in("view_memorysample")
    for over in ("hour", "6 hours", "nonsense"):
        page = browser.get(PAGE, {"over": over}).content.decode()
        assert '<path class="cv-r0" d="M' in page
        assert "At most 80 MB, and 2 calls at once." in page
    assert "Nothing was kept in the last 48 hours" in text_of(
        browser.get(PAGE, {"over": "48 hours"})
    )


def test_without_a_broker_what_was_kept_is_shown_still(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(monkeypatch, None)
    at = (timezone.now() - timedelta(minutes=20)).timestamp()
    samples.keep([snapshot(reading("web", pss=80 * 1024), at=at)], {})
    answer = signed_in("view_memorysample").get(PAGE)
    assert "The broker does not answer" in text_of(answer)
    assert 'class="cv-r0"' in answer.content.decode()


def test_a_name_that_a_machine_gives_itself_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    named = snapshot(reading(), host="<script>alert(1)</script>", at=time.time())
    tell(monkeypatch, State(snapshots=[named, snapshot(reading())]))
    page = signed_in("view_memorysample").get(PAGE).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_page_asks_the_database_as_often_for_a_day_as_for_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tell(monkeypatch, state_now())
    browser = signed_in("view_memorysample")
    now = timezone.now()
    asked = []
    for number in (1, 200):
        looks = [(now - timedelta(seconds=30 * one)).timestamp() for one in range(number)]
        samples.keep([snapshot(reading(), at=at) for at in looks], {})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get(PAGE)
        asked.append(len(queries))
    assert asked[0] == asked[1]
    assert asked[1] < 16


def test_it_can_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(monkeypatch, None)
    assert PAGE in signed_in("view_memorysample").get("/admin/").content.decode()
