"""Recordings for operators: heard beside the transcript, and deleted with their files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from phone import byte_range
from phone.models import Recording
from voice.admin import CallAdmin
from voice.admin_base import DayFilter, ReadOnly
from voice.models import Call

STATE_COLOURS = {"growing": "info", "kept": "success", "lost": "danger"}


class RecordingDayFilter(DayFilter):
    field = "began_at"


@admin.register(Recording)
class RecordingAdmin(ReadOnly):
    list_display = ("status", "who", "began_at", "length", "megabytes")
    list_display_links = ("status", "who")
    list_filter = (RecordingDayFilter, "state")
    list_select_related = ("call__user",)
    search_fields = ("call__user__username", "call__turns__transcript")
    actions: Any = ("delete_selected",)
    fields = ("listen", "who", "began_at", "length", "megabytes", "audio_format")
    readonly_fields = ("listen", "who", "length", "megabytes")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("phone.delete_recording"))

    def get_urls(self) -> list[URLPattern]:
        play = path(
            "<uuid:call_id>/audio.wav",
            self.admin_site.admin_view(self.audio),
            name="phone_recording_audio",
        )
        return [play, *super().get_urls()]

    def audio(self, request: HttpRequest, call_id: UUID) -> HttpResponseBase:
        """The file, or the part of it that a player asks for."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        recording = get_object_or_404(Recording, pk=call_id)
        if not recording.file:
            raise Http404
        return served(request, recording)

    @display(description="Status", label=STATE_COLOURS)  # type: ignore[untyped-decorator]
    def status(self, recording: Recording) -> tuple[str, str]:
        return recording.state, recording.get_state_display()

    @display(description="Who")  # type: ignore[untyped-decorator]
    def who(self, recording: Recording) -> str:
        page = reverse("admin:voice_call_change", args=[recording.call_id])
        return format_html('<a href="{}">{}</a>', page, recording.call)

    @display(description="Length", ordering="ms")  # type: ignore[untyped-decorator]
    def length(self, recording: Recording) -> str:
        minutes, seconds = divmod(recording.ms // 1000, 60)
        return f"{minutes}:{seconds:02d}" if recording.ms else "–"

    @display(description="Size", ordering="size_bytes")  # type: ignore[untyped-decorator]
    def megabytes(self, recording: Recording) -> str:
        return f"{recording.size_bytes / 1e6:.1f} MB" if recording.size_bytes else "–"

    @display(description="Listen")  # type: ignore[untyped-decorator]
    def listen(self, recording: Recording) -> str:
        if not recording.file:
            return "When the call is over."
        return format_html(
            '<audio controls preload="metadata" src="{}"></audio>', url_of(recording)
        )


class RecordedCallAdmin(CallAdmin):
    """The call's page with what was recorded of it above its turns."""

    change_form_outer_before_template = "admin/phone/call.html"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        recording = _recording_of(object_id) if _may_listen(request) else None
        context = {
            **(extra_context or {}),
            "recording": recording,
            "recording_url": url_of(recording) if recording and recording.file else "",
        }
        return super().change_view(request, object_id, form_url, context)


admin.site.unregister(Call)
admin.site.register(Call, RecordedCallAdmin)


def url_of(recording: Recording) -> str:
    return reverse("admin:phone_recording_audio", args=[recording.pk])


def served(request: HttpRequest, recording: Recording) -> HttpResponseBase:
    """From this machine's disk in parts; from a bucket by a signed address, past this process."""
    storage, name = recording.file.storage, str(recording.file.name)
    try:
        file = Path(storage.path(name))
    except NotImplementedError:
        return HttpResponseRedirect(storage.url(name))
    if not file.is_file():
        raise Http404
    return _part(file, request.headers.get("Range", ""))


def _part(file: Path, range_header: str) -> HttpResponseBase:
    size = file.stat().st_size
    try:
        part = byte_range.wanted(range_header, size)
    except byte_range.Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, no-store"}
    if part is None:
        headers |= {
            "Content-Length": str(size),
            "Content-Disposition": f'inline; filename="{file.name}"',
        }
        return StreamingHttpResponse(_read(file), content_type="audio/wav", headers=headers)
    first, last = part
    with file.open("rb") as opened:
        opened.seek(first)
        data = opened.read(last - first + 1)
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return HttpResponse(data, status=206, content_type="audio/wav", headers=headers)


async def _read(file: Path) -> AsyncIterator[bytes]:
    """Piece by piece: of a plain iterator Django would first make a list of the whole file."""
    with await asyncio.to_thread(file.open, "rb") as opened:
        while data := await asyncio.to_thread(opened.read, byte_range.MOST_BYTES):
            yield data


def _may_listen(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("phone.view_recording"))


def _recording_of(call_id: str) -> Recording | None:
    try:
        return Recording.objects.filter(pk=UUID(call_id)).first()
    except ValueError:
        return None
