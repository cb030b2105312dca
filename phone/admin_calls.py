"""Telephone calls and transfers for operators: read, never changed by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from phone.models import PhoneCall, Transfer
from voice.admin_base import DayFilter, ReadOnly
from voice.models import Call

STATE_COLOURS = {
    "wanted": "info",
    "dialling": "info",
    "talking": "info",
    "done": "success",
    "missed": "danger",
    "abandoned": "warning",
}


class TransferDayFilter(DayFilter):
    field = "created_at"


class CallDayFilter(DayFilter):
    field = "call__started_at"


@admin.register(Transfer)
class TransferAdmin(ReadOnly):
    list_display = ("status", "whom", "caller", "reason", "rang", "kind", "created_at")
    list_display_links = ("status", "whom")
    list_filter = (TransferDayFilter, "state", "emergency", "department")
    list_select_related = ("department", "contact", "call__user")
    search_fields = ("department__name", "contact__name", "reason", "call__user__username")
    ordering = ("-created_at",)
    fields = (
        *("became", "kind", "whom", "taken_by", "caller", "reason", "tries"),
        *("of_call", "created_at", "ended_at"),
    )
    readonly_fields = ("became", "kind", "whom", "taken_by", "caller", "tries", "of_call")

    @display(description="State", label=STATE_COLOURS)  # type: ignore[untyped-decorator]
    def status(self, transfer: Transfer) -> tuple[str, str]:
        return transfer.state, transfer.get_state_display()

    @display(description="State")  # type: ignore[untyped-decorator]
    def became(self, transfer: Transfer) -> str:
        return str(transfer.get_state_display())

    @display(description="Kind", label={"emergency": "danger", "asked for": "default"})  # type: ignore[untyped-decorator]
    def kind(self, transfer: Transfer) -> str:
        return "emergency" if transfer.emergency else "asked for"

    @display(description="Department", ordering="department__name")  # type: ignore[untyped-decorator]
    def whom(self, transfer: Transfer) -> str:
        return str(transfer.department or "–")

    @display(description="Person")  # type: ignore[untyped-decorator]
    def taken_by(self, transfer: Transfer) -> str:
        return str(transfer.contact or "–")

    @display(description="Caller", ordering="call__user__username")  # type: ignore[untyped-decorator]
    def caller(self, transfer: Transfer) -> str:
        return str(transfer.call.user)

    @display(description="Rang")  # type: ignore[untyped-decorator]
    def rang(self, transfer: Transfer) -> str:
        return ", ".join(one["name"] for one in transfer.tried) or "–"

    @display(description="Tried")  # type: ignore[untyped-decorator]
    def tries(self, transfer: Transfer) -> str:
        told = ((one["name"], one["outcome"] or "rings") for one in transfer.tried)
        return format_html_join(SafeString("<br>"), "{}: {}", told) or "–"

    @display(description="Call")  # type: ignore[untyped-decorator]
    def of_call(self, transfer: Transfer) -> str:
        return _link(transfer.call)


@admin.register(PhoneCall)
class PhoneCallAdmin(ReadOnly):
    list_display = ("theirs_shown", "way", "caller", "status_shown", "length", "began")
    list_display_links = ("theirs_shown",)
    list_filter = (CallDayFilter, "direction", "line")
    list_select_related = ("call__user", "line")
    search_fields = ("theirs", "ours", "sid", "call__user__username")
    ordering = ("-call__started_at",)
    fields = (
        *("theirs_shown", "ours", "way", "caller", "identified", "status_shown", "length"),
        *("streams", "of_call", "sid"),
    )
    readonly_fields = (
        *("theirs_shown", "way", "caller", "identified", "status_shown", "length", "of_call"),
    )

    @display(description="Their number", ordering="theirs")  # type: ignore[untyped-decorator]
    def theirs_shown(self, phone: PhoneCall) -> str:
        return phone.theirs or "withheld"

    @display(description="Way", label={"they called": "info", "we called": "default"})  # type: ignore[untyped-decorator]
    def way(self, phone: PhoneCall) -> str:
        return str(phone.get_direction_display())

    @display(description="Caller", ordering="call__user__username")  # type: ignore[untyped-decorator]
    def caller(self, phone: PhoneCall) -> str:
        return str(phone.call.user)

    @display(description="Has shown who they are", boolean=True)  # type: ignore[untyped-decorator]
    def identified(self, phone: PhoneCall) -> bool:
        return phone.call.identified

    @display(description="Status")  # type: ignore[untyped-decorator]
    def status_shown(self, phone: PhoneCall) -> str:
        return phone.status or ("in-progress" if phone.call.ended_at is None else "–")

    @display(description="Length", ordering="seconds")  # type: ignore[untyped-decorator]
    def length(self, phone: PhoneCall) -> str:
        if phone.seconds is None:
            return "–"
        return f"{phone.seconds // 60}:{phone.seconds % 60:02d}"

    @display(description="Began", ordering="call__started_at")  # type: ignore[untyped-decorator]
    def began(self, phone: PhoneCall) -> Any:
        return phone.call.started_at

    @display(description="Call")  # type: ignore[untyped-decorator]
    def of_call(self, phone: PhoneCall) -> str:
        return _link(phone.call)


def _link(call: Call) -> str:
    page = reverse("admin:voice_call_change", args=[call.pk])
    return format_html('<a href="{}">{}</a>', page, call)
