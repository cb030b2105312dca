"""Reminders that rang, for operators: read, never changed by hand."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from phone.models import Ringing
from voice.admin_base import DayFilter, ReadOnly

STATE_COLOURS = {
    "waiting": "info",
    "placing": "info",
    "ringing": "info",
    "answered": "success",
    "voicemail": "warning",
    "given_up": "danger",
    "cancelled": "default",
}


class FiredFilter(DayFilter):
    field = "reminder__fired_at"


@admin.register(Ringing)
class RingingAdmin(ReadOnly):
    list_display = ("status", "reminder", "owner", "outcome", "tries", "fired_at")
    list_display_links = ("status", "reminder")
    list_filter = (FiredFilter, "state")
    list_select_related = ("reminder__owner",)
    search_fields = ("reminder__text", "reminder__owner__username", "sid")
    ordering = ("-reminder__fired_at",)
    fields = (
        *("became", "reminder", "owner", "number", "fired_at"),
        *("tries", "outcome", "next_at", "sid", "of_call"),
    )
    readonly_fields = ("became", "owner", "fired_at", "of_call")

    @display(description="State", label=STATE_COLOURS)  # type: ignore[untyped-decorator]
    def status(self, ringing: Ringing) -> tuple[str, str]:
        return ringing.state, ringing.get_state_display()

    @display(description="State")  # type: ignore[untyped-decorator]
    def became(self, ringing: Ringing) -> str:
        return str(ringing.get_state_display())

    @display(description="Person")  # type: ignore[untyped-decorator]
    def owner(self, ringing: Ringing) -> str:
        return str(ringing.reminder.owner)

    @display(description="Due", ordering="reminder__fired_at")  # type: ignore[untyped-decorator]
    def fired_at(self, ringing: Ringing) -> object:
        return ringing.reminder.fired_at

    @display(description="Call")  # type: ignore[untyped-decorator]
    def of_call(self, ringing: Ringing) -> SafeString | str:
        if ringing.call_id is None:
            return "–"
        address = reverse("admin:voice_call_change", args=[ringing.call_id])
        return format_html('<a href="{}">{}</a>', address, ringing.call)
