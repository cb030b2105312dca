"""Recordings in the admin: heard by those who may, in parts, and deleted with their files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from phone.models import Recording
from phone.wav import header
from voice.audio import PHONE
from voice.models import Call

pytestmark = [pytest.mark.django_db, pytest.mark.urls("convonet.admin_urls")]
FILE = header(PHONE, 32_000) + bytes(range(250)) * 128


@pytest.fixture
def recording(folder: Path) -> Recording:
    call = Call.objects.create(user=User.objects.create_user("anna"), channel="phone")
    made = Recording.objects.create(call=call, state="kept", ms=2000, size_bytes=len(FILE))
    made.file.save(f"{call.pk}.wav", ContentFile(FILE))
    return made


def signed_in(*permissions: str, staff: bool = True) -> Client:
    user = User.objects.create_user("somebody", is_staff=staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def address(recording: Recording) -> str:
    return reverse("admin:phone_recording_audio", args=[recording.pk])


def test_a_player_gets_the_part_it_asks_for(recording: Recording) -> None:
    client = signed_in("view_recording")
    answer: Any = client.get(address(recording), headers={"Range": "bytes=40-49"})
    assert answer.status_code == 206
    assert answer.content == FILE[40:50]
    assert answer["Content-Range"] == f"bytes 40-49/{len(FILE)}"
    beyond: Any = client.get(address(recording), headers={"Range": f"bytes={len(FILE)}-"})
    assert beyond.status_code == 416


async def _content(response: StreamingHttpResponse) -> bytes:
    return b"".join([part async for part in response])


def test_whoever_asks_for_no_part_gets_the_whole_file(recording: Recording) -> None:
    answer: Any = signed_in("view_recording").get(address(recording))
    assert answer["Accept-Ranges"] == "bytes"
    assert asyncio.run(_content(answer)) == FILE


@pytest.mark.parametrize(
    ("permissions", "staff"), [(["view_call"], True), (["view_recording"], False)]
)
def test_nobody_else_hears_it(recording: Recording, permissions: list[str], staff: bool) -> None:
    client = signed_in(*permissions, staff=staff)
    answer: Any = client.get(address(recording))
    assert answer.status_code in (302, 403)
    page: Any = client.get(reverse("admin:voice_call_change", args=[recording.pk]))
    assert b"<audio" not in page.content


def test_a_stranger_is_sent_to_log_in(recording: Recording) -> None:
    assert Client().get(address(recording)).status_code == 302


def test_the_player_is_on_the_page_of_the_call(recording: Recording) -> None:
    client = signed_in("view_call", "view_recording")
    page: Any = client.get(reverse("admin:voice_call_change", args=[recording.pk]))
    assert f'src="{address(recording)}"'.encode() in page.content


def test_a_call_that_is_still_up_has_nothing_to_play_yet(recording: Recording) -> None:
    Recording.objects.update(file="", state="growing")
    client = signed_in("view_call", "view_recording")
    page: Any = client.get(reverse("admin:voice_call_change", args=[recording.pk]))
    assert b"being recorded" in page.content
    assert b"<audio" not in page.content
    assert client.get(address(recording)).status_code == 404


def test_deleting_it_deletes_the_file(
    recording: Recording, django_capture_on_commit_callbacks: Any
) -> None:
    file = Path(recording.file.path)
    client = signed_in("view_recording", "delete_recording")
    page = reverse("admin:phone_recording_delete", args=[recording.pk])
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(page, {"post": "yes"}).status_code == 302
    assert not Recording.objects.exists()
    assert not file.exists()


def test_who_may_only_listen_deletes_nothing(recording: Recording) -> None:
    client = signed_in("view_recording")
    page = reverse("admin:phone_recording_delete", args=[recording.pk])
    assert client.post(page, {"post": "yes"}).status_code == 403
    assert Recording.objects.exists()
