"""Recorded calls: who is recorded, pieces stored while the call goes on, one file when it is over.

The pieces lie in the storage under the call's id until they are joined, so any worker can go on.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.db.models import F, QuerySet
from django.utils import timezone

from phone.models import PhoneAccount, Recording
from phone.storage import recordings
from phone.wav import CHANNELS, header
from voice import keys
from voice.audio import AudioFormat
from voice.models import Call
from voice.records import in_database_thread

logger = logging.getLogger(__name__)

# A call may go on in another socket, and its last pieces may still be under way.
SETTLE = timedelta(seconds=20)
JOINING_SECONDS = 600
COPY_BYTES = 256 * 1024
MOST_AT_ONCE = 20
Recorded = PhoneAccount.Recorded


def consent_for(call: Call) -> str:
    """The sentence to say before this call is recorded; empty: it is not to be recorded."""
    business = call.business
    wish = Recorded.BUSINESS
    if call.identified and (account := PhoneAccount.objects.filter(owner=call.user).first()):
        wish = Recorded(account.recorded)
    by_business = business is not None and business.records_calls
    if wish == Recorded.NEVER or not (by_business or wish == Recorded.ALWAYS):
        return ""
    return (business.consent if business else "") or settings.RECORDING_CONSENT


@dataclass(frozen=True, slots=True)
class Consent:
    """`sentence` must be heard first, unless it was `given` earlier in the call; empty: never."""

    sentence: str
    given: bool = False


def prepare(call_id: str, audio_format: AudioFormat) -> Consent:
    """At each stream's start and when the caller is known: may this call be recorded?

    If not, what there was of it is deleted.
    """
    call = Call.objects.select_related("business").get(pk=UUID(call_id))
    sentence = consent_for(call)
    if not sentence:
        for recording in Recording.objects.filter(call=call):
            recording.delete()
        return Consent("")
    recording = begin(call_id, audio_format)
    return Consent(sentence, given=recording.parts > 0)


def begin(call_id: str, audio_format: AudioFormat) -> Recording:
    """There may be pieces of this call from now on; nothing is added to one that is joined."""
    recording, _ = Recording.objects.get_or_create(
        call_id=call_id, defaults={"audio_format": str(audio_format)}
    )
    return recording


def store_piece(redis: Any, call_id: str, name: str) -> None:
    """Move one piece from Redis into the storage; again, it changes nothing."""
    key, waiting = keys.recording_piece(call_id, name), keys.recording_pieces(call_id)
    piece = redis.get(key)
    row = Recording.objects.filter(call_id=call_id, state=Recording.State.GROWING)
    if piece is not None and row.exists():
        _write(recordings(), _path(call_id, name), piece)
        row.update(parts=F("parts") + 1)
    redis.delete(key)
    redis.srem(waiting, name)


def join_due(redis: Any, now: datetime) -> int:
    """Join the recordings whose calls have been over for a while; returns how many."""
    over = _over(now).select_related("call")
    return sum(_join_once(redis, recording) for recording in over[:MOST_AT_ONCE])


def any_due(now: datetime) -> bool:
    """Whether `join_due` would find any."""
    return _over(now).exists()


def delete_files(call_id: str, file_name: str) -> None:
    """What the storage holds of this call's recording; `file_name` is empty before it is joined."""
    storage = recordings()
    if file_name:
        storage.delete(file_name)
    _delete_pieces(storage, call_id)


def purge(now: datetime, days: int) -> int:
    """Delete the recordings older than so many days, and files that no row knows."""
    strays = _delete_strays(recordings())
    old = Recording.objects.filter(began_at__lt=now - timedelta(days=days))
    count = old.count()
    for recording in old.iterator(chunk_size=100):
        recording.delete()
    return count + strays


prepare_async = in_database_thread(prepare)


# Joining ------------------------------------------------------------------------------------
def _over(now: datetime) -> QuerySet[Recording]:
    return Recording.objects.filter(state=Recording.State.GROWING, call__ended_at__lt=now - SETTLE)


def _join_once(redis: Any, recording: Recording) -> bool:
    """Only one worker at a time; a later one finds the same pieces."""
    call_id = str(recording.call_id)
    lock = keys.recording_joined(call_id)
    if not redis.set(lock, 1, nx=True, ex=JOINING_SECONDS):
        return False
    try:
        for name in sorted(redis.smembers(keys.recording_pieces(call_id))):
            store_piece(redis, call_id, name.decode())
        return _join(recording)
    finally:
        redis.delete(lock)


def _join(recording: Recording) -> bool:
    storage, call_id = recordings(), str(recording.call_id)
    names = _pieces(storage, call_id)
    if not names:
        # Nobody consented, or everything was lost on the way.
        recording.delete()
        return False
    audio_format = AudioFormat.parse(recording.audio_format)
    size = sum(storage.size(_path(call_id, name)) for name in names)
    target = f"{call_id}.wav"
    with tempfile.TemporaryFile() as whole:
        whole.write(header(audio_format, size))
        for name in names:
            _copy(storage, _path(call_id, name), whole)
        whole.seek(0)
        if storage.exists(target):
            storage.delete(target)
        recording.file.name = storage.save(target, File(whole, target))
    recording.state, recording.size_bytes = Recording.State.KEPT, size
    recording.ms = audio_format.ms_of(size // CHANNELS)
    recording.ended_at = timezone.now()
    if not Recording.objects.filter(pk=recording.pk).exists():
        # Deleted meanwhile, by whoever may.
        storage.delete(recording.file.name)
        return False
    recording.save(update_fields=["file", "state", "size_bytes", "ms", "ended_at"])
    _delete_pieces(storage, call_id)
    return True


def _copy(storage: Storage, name: str, whole: Any) -> None:
    with storage.open(name) as piece:
        while data := piece.read(COPY_BYTES):
            whole.write(data)


# Storage ------------------------------------------------------------------------------------
def _write(storage: Storage, name: str, data: bytes) -> None:
    if storage.exists(name):
        if storage.size(name) == len(data):
            return
        # A worker died while it wrote this.
        storage.delete(name)
    storage.save(name, ContentFile(data))


def _path(call_id: str, name: str) -> str:
    return str(PurePosixPath(call_id, name))


def _pieces(storage: Storage, call_id: str) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return sorted(storage.listdir(call_id)[1])
    return []


def _delete_pieces(storage: Storage, call_id: str) -> None:
    for name in _pieces(storage, call_id):
        storage.delete(_path(call_id, name))
    with contextlib.suppress(OSError):
        # A folder, where the storage has such.
        storage.delete(call_id)


def _delete_strays(storage: Storage) -> int:
    with contextlib.suppress(FileNotFoundError):
        folders, files = storage.listdir("")
        strays = [*_unknown(folders, ""), *_unknown(files, ".wav")]
        for call_id in strays:
            _delete_pieces(storage, call_id)
            storage.delete(f"{call_id}.wav")
        return len(strays)
    return 0


def _unknown(names: list[str], suffix: str) -> Iterator[str]:
    """Ids of calls that have a file and no row; what is not named by us is left alone."""
    ids = [name.removesuffix(suffix) for name in names if name.endswith(suffix)]
    ids = [one for one in ids if is_call_id(one)]
    for start in range(0, len(ids), 200):
        some = ids[start : start + 200]
        known = Recording.objects.filter(pk__in=map(UUID, some)).values_list("pk", flat=True)
        yield from sorted(set(some) - {str(pk) for pk in known})


def is_call_id(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return str(UUID(text)) == text
    return False
