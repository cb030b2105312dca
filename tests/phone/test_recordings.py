"""Recordings in the storage: pieces while the call goes on, then one file, gone when deleted."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis as redis_library
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.utils import timezone

from phone import recordings
from phone.models import PhoneAccount, Recording
from phone.wav import HEADER_BYTES
from voice import keys
from voice.audio import PHONE
from voice.models import Business, Call

pytestmark = pytest.mark.django_db
SECOND = 2 * PHONE.bytes_per_second


@pytest.fixture
def call() -> Call:
    anna = get_user_model().objects.create_user("anna")
    return Call.objects.create(user=anna, channel="phone", audio_format=str(PHONE))


def put(redis: redis_library.Redis, call: Call, name: str, piece: bytes) -> None:
    redis.set(keys.recording_piece(str(call.pk), name), piece)
    redis.sadd(keys.recording_pieces(str(call.pk)), name)


def end(call: Call, ago: timedelta = timedelta(minutes=1)) -> None:
    Call.objects.filter(pk=call.pk).update(ended_at=timezone.now() - ago)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.usefixtures("folder")
class TestWho:
    """Who is recorded."""

    def test_nobody_by_default(self, call: Call) -> None:
        assert recordings.consent_for(call) == ""

    def test_callers_of_a_business_that_records(self, call: Call) -> None:
        call.business = Business.objects.create(name="Oak", records_calls=True, consent="We tape.")
        assert recordings.consent_for(call) == "We tape."
        call.identified = False
        assert recordings.consent_for(call) == "We tape."

    def test_never_who_does_not_want_it(self, call: Call) -> None:
        call.business = Business.objects.create(name="Oak", records_calls=True)
        PhoneAccount.objects.create(owner=call.user, recorded="never")
        assert recordings.consent_for(call) == ""

    def test_who_always_wants_it(self, call: Call, settings: Any) -> None:
        PhoneAccount.objects.create(owner=call.user, recorded="always")
        assert recordings.consent_for(call) == settings.RECORDING_CONSENT

    def test_a_guest_has_no_wish_of_their_own(self, call: Call) -> None:
        PhoneAccount.objects.create(owner=call.user, recorded="always")
        call.identified = False
        assert recordings.consent_for(call) == ""


def test_who_is_known_late_and_does_not_want_it_leaves_no_recording(
    redis: redis_library.Redis, folder: Path, call: Call, django_capture_on_commit_callbacks: Any
) -> None:
    business = Business.objects.create(name="Oak", records_calls=True)
    Call.objects.filter(pk=call.pk).update(business=business, identified=False)
    assert not recordings.prepare(str(call.pk), PHONE).given
    put(redis, call, "001-000000", b"\x01" * SECOND)
    recordings.store_piece(redis, str(call.pk), "001-000000")
    assert recordings.prepare(str(call.pk), PHONE).given, "in an earlier stream"
    PhoneAccount.objects.create(owner=call.user, recorded="never")
    Call.objects.filter(pk=call.pk).update(identified=True)
    with django_capture_on_commit_callbacks(execute=True):
        assert recordings.prepare(str(call.pk), PHONE).sentence == ""
    assert not Recording.objects.exists()
    assert files(folder) == []


def test_pieces_become_one_file_once_the_call_is_over(
    redis: redis_library.Redis, folder: Path, call: Call
) -> None:
    recordings.begin(str(call.pk), PHONE)
    for number in range(3):
        put(redis, call, f"001-{number:06d}", bytes([number]) * SECOND)
        recordings.store_piece(redis, str(call.pk), f"001-{number:06d}")
    assert len(files(folder)) == 3, "stored while the call goes on"
    assert recordings.join_due(redis, timezone.now()) == 0, "the call is up"
    end(call)
    assert recordings.join_due(redis, timezone.now()) == 1
    recording = Recording.objects.get()
    assert files(folder) == [recording.file.name] == [f"{call.pk}.wav"]
    data = (folder / f"{call.pk}.wav").read_bytes()
    assert data[HEADER_BYTES:] == b"".join(bytes([n]) * SECOND for n in range(3))
    assert (recording.state, recording.ms, recording.size_bytes) == ("kept", 3000, 3 * SECOND)
    assert not redis.keys("*")


def test_a_second_stream_of_the_call_follows_the_first(
    redis: redis_library.Redis, folder: Path, call: Call
) -> None:
    recordings.begin(str(call.pk), PHONE)
    put(redis, call, "002-000000", b"\x02" * SECOND)
    put(redis, call, "001-000000", b"\x01" * SECOND)
    end(call)
    assert recordings.join_due(redis, timezone.now()) == 1, "whatever waited was stored first"
    data = (folder / f"{call.pk}.wav").read_bytes()
    assert data[HEADER_BYTES:] == b"\x01" * SECOND + b"\x02" * SECOND


def test_a_call_that_just_ended_may_go_on(
    redis: redis_library.Redis, folder: Path, call: Call
) -> None:
    recordings.begin(str(call.pk), PHONE)
    put(redis, call, "001-000000", b"\x01" * SECOND)
    end(call, timedelta(seconds=1))
    assert recordings.join_due(redis, timezone.now()) == 0


def test_a_worker_killed_at_any_point_loses_nothing(
    redis: redis_library.Redis, folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings.begin(str(call.pk), PHONE)
    put(redis, call, "001-000000", b"\x01" * SECOND)
    # Died while it wrote the piece: half of it is there, and the task comes again.
    storages["recordings"].save(f"{call.pk}/001-000000", ContentFile(b"\x01" * 10))
    recordings.store_piece(redis, str(call.pk), "001-000000")
    recordings.store_piece(redis, str(call.pk), "001-000000")
    end(call)

    def dies(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        # Died with the file written and the row not.
        patched.setattr(Recording, "save", dies)
        with pytest.raises(MemoryError):
            recordings.join_due(redis, timezone.now())
    assert recordings.join_due(redis, timezone.now()) == 1
    assert files(folder) == [f"{call.pk}.wav"]
    assert (folder / f"{call.pk}.wav").stat().st_size == HEADER_BYTES + SECOND


def test_only_one_worker_joins_at_a_time(
    redis: redis_library.Redis, folder: Path, call: Call
) -> None:
    recordings.begin(str(call.pk), PHONE)
    put(redis, call, "001-000000", b"\x01" * SECOND)
    end(call)
    redis.set(keys.recording_joined(str(call.pk)), 1)
    assert recordings.join_due(redis, timezone.now()) == 0
    assert Recording.objects.get().state == "growing"


def test_a_call_nobody_consented_to_leaves_no_recording(
    redis: redis_library.Redis, folder: Path, call: Call
) -> None:
    recordings.begin(str(call.pk), PHONE)
    end(call)
    assert recordings.join_due(redis, timezone.now()) == 0
    assert not Recording.objects.exists()


@pytest.mark.parametrize("what", ["recording", "call", "person"])
def test_the_file_goes_with_its_row(
    redis: redis_library.Redis,
    folder: Path,
    call: Call,
    what: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    recordings.begin(str(call.pk), PHONE)
    put(redis, call, "001-000000", b"\x01" * SECOND)
    end(call)
    recordings.join_due(redis, timezone.now())
    rows = {"recording": Recording.objects.get(), "call": call, "person": call.user}
    with django_capture_on_commit_callbacks(execute=True):
        rows[what].delete()
    assert files(folder) == []


def test_a_recording_deleted_while_the_call_goes_on_gets_no_further_piece(
    redis: redis_library.Redis, folder: Path, call: Call, django_capture_on_commit_callbacks: Any
) -> None:
    recordings.begin(str(call.pk), PHONE)
    put(redis, call, "001-000000", b"\x01" * SECOND)
    recordings.store_piece(redis, str(call.pk), "001-000000")
    with django_capture_on_commit_callbacks(execute=True):
        Recording.objects.get().delete()
    put(redis, call, "001-000001", b"\x01" * SECOND)
    recordings.store_piece(redis, str(call.pk), "001-000001")
    assert files(folder) == []
    assert not redis.keys("*")


def test_old_recordings_and_files_of_nobody_go(
    redis: redis_library.Redis, folder: Path, call: Call, django_capture_on_commit_callbacks: Any
) -> None:
    recordings.begin(str(call.pk), PHONE)
    put(redis, call, "001-000000", b"\x01" * SECOND)
    end(call)
    recordings.join_due(redis, timezone.now())
    storage = storages["recordings"]
    assert isinstance(storage, FileSystemStorage)
    storage.save(f"{uuid.uuid4()}.wav", io.BytesIO(b"stray"))
    storage.save(f"{uuid.uuid4()}/001-000000", io.BytesIO(b"stray"))
    storage.save("notes.txt", io.BytesIO(b"somebody else's"))
    now = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        assert recordings.purge(now, days=30) == 2
    assert files(folder) == sorted([f"{call.pk}.wav", "notes.txt"])
    with django_capture_on_commit_callbacks(execute=True):
        assert recordings.purge(now + timedelta(days=31), days=30) == 1
    assert files(folder) == ["notes.txt"]
