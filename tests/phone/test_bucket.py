"""Recordings in a bucket: the same pieces, the same file, and played past the web process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis as redis_library
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from phone import recordings
from phone.models import Recording
from phone.wav import HEADER_BYTES
from tests.standins import s3
from voice import keys
from voice.audio import PHONE
from voice.models import Call

pytestmark = [pytest.mark.django_db, pytest.mark.urls("convonet.admin_urls")]
SECOND = 2 * PHONE.bytes_per_second


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3.Bucket]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": s3.KEY,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    with s3.bucket("calls") as server:
        options = {"bucket_name": "calls", "endpoint_url": server.url, "file_overwrite": True}
        settings.STORAGES = {
            **settings.STORAGES,
            "recordings": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
        }
        field: Any = Recording._meta.get_field("file")
        before, field.storage = field.storage, storages["recordings"]
        yield server
        field.storage = before


@pytest.fixture
def call() -> Call:
    anna = User.objects.create_user("anna")
    return Call.objects.create(user=anna, channel="phone", audio_format=str(PHONE))


def recorded(redis: redis_library.Redis, call: Call) -> None:
    recordings.begin(str(call.pk), PHONE)
    for number in range(3):
        name = f"001-{number:06d}"
        redis.set(keys.recording_piece(str(call.pk), name), bytes([number]) * SECOND)
        recordings.store_piece(redis, str(call.pk), name)
        recordings.store_piece(redis, str(call.pk), name)
    Call.objects.filter(pk=call.pk).update(ended_at=timezone.now() - timedelta(minutes=1))


def test_pieces_become_one_object(
    bucket: s3.Bucket, redis: redis_library.Redis, call: Call
) -> None:
    recorded(redis, call)
    assert len(bucket.objects) == 3
    assert recordings.join_due(redis, timezone.now()) == 1
    assert list(bucket.objects) == [f"{call.pk}.wav"]
    whole = bucket.objects[f"{call.pk}.wav"]
    assert whole[HEADER_BYTES:] == b"".join(bytes([n]) * SECOND for n in range(3))
    assert not bucket.refused


def test_the_player_is_sent_to_a_signed_address(
    bucket: s3.Bucket, redis: redis_library.Redis, call: Call
) -> None:
    recorded(redis, call)
    recordings.join_due(redis, timezone.now())
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    answer: Any = client.get(reverse("admin:phone_recording_audio", args=[call.pk]))
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{bucket.url}/calls/{call.pk}.wav?")
    assert "X-Amz-Signature=" in answer["Location"]


def test_the_object_goes_with_its_row(
    bucket: s3.Bucket,
    redis: redis_library.Redis,
    call: Call,
    django_capture_on_commit_callbacks: Any,
) -> None:
    recorded(redis, call)
    recordings.join_due(redis, timezone.now())
    bucket.objects["somebody/elses"] = b"kept"
    with django_capture_on_commit_callbacks(execute=True):
        call.delete()
    assert list(bucket.objects) == ["somebody/elses"]
