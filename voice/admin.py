"""Calls and turns for operators: read, searched and filtered, never changed by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display

from convonet import configured
from voice import admin_choices, admin_providers, asked  # noqa: F401  # registers their pages
from voice.admin_base import DayFilter, ReadOnly
from voice.models import Call, Turn
from voice.timeline import SLOW_MS, STATE_COLOURS, tell
from voice.uses_told import cost


class CallDayFilter(DayFilter):
    field = "started_at"


class TurnKindFilter(admin.SimpleListFilter):
    title = "what happened"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Failed"), ("interrupted", "Interrupted"), ("slow", "Slow (over 1 s)")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = _turn_conditions().get(self.value() or "")
        return queryset.filter(wanted) if wanted else queryset


class CallKindFilter(TurnKindFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Now"), *super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "live":
            return queryset.filter(ended_at=None)
        wanted = _turn_conditions().get(self.value() or "")
        if not wanted:
            return queryset
        return queryset.filter(Exists(Turn.objects.filter(wanted, call=OuterRef("pk"))))


def _turn_conditions() -> dict[str, Q]:
    return {
        "failed": Q(state=Turn.State.FAILED),
        "interrupted": Q(state=Turn.State.INTERRUPTED),
        "slow": Q(first_audio_ms__gt=SLOW_MS),
    }


@admin.register(Call)
class CallAdmin(ReadOnly):
    list_display = ("status", "user", "started_at", "length", "turn_count", "slowest", "channel")
    list_display_links = ("status", "user")
    list_filter = (CallDayFilter, CallKindFilter, "channel")
    list_select_related = ("user",)
    search_fields = ("user__username", "turns__transcript", "end_reason")
    ordering = ("-started_at",)
    fields = (
        *("user", "channel", "time_zone", "started_at", "length", "ended", "dropped_chunks"),
        "cost",
    )
    readonly_fields = ("length", "ended", "cost")
    change_form_outer_before_template = "admin/voice/timeline.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        calls: QuerySet[Call] = super().get_queryset(request)
        failed = Turn.objects.filter(call=OuterRef("pk"), state=Turn.State.FAILED)
        return calls.annotate(
            turns_made=Count("turns", distinct=True),
            slowest_ms=Max("turns__first_audio_ms"),
            any_failed=Exists(failed),
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        calls = Call.objects.filter(pk=_uuid(object_id))
        turns = Turn.objects.filter(call__in=calls).select_related("call__user")
        turns = turns.prefetch_related("tool_calls").order_by("number")
        uses = asked.by_turn(turns)
        told = [
            tell(turn, turn.tool_calls.all(), uses[turn.pk], link=_page_of(turn)) for turn in turns
        ]
        context = {**(extra_context or {}), "timeline": told}
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer

    @display(  # type: ignore[untyped-decorator]
        description="Status", label={"now": "info", "failed": "danger", "ended": "success"}
    )
    def status(self, call: Any) -> str:
        if call.ended_at is None:
            return "now"
        return "failed" if call.any_failed else "ended"

    @display(description="Length")  # type: ignore[untyped-decorator]
    def length(self, call: Call) -> str:
        end = call.ended_at or timezone.now()
        minutes, seconds = divmod(int((end - call.started_at).total_seconds()), 60)
        return f"{minutes}:{seconds:02d}"

    @display(description="Ended")  # type: ignore[untyped-decorator]
    def ended(self, call: Call) -> str:
        return call.end_reason or ("still up" if call.ended_at is None else "–")

    @display(description="Estimated cost")  # type: ignore[untyped-decorator]
    def cost(self, call: Call) -> str:
        return cost(list(call.uses.values_list("cost_micro_usd", flat=True))) or "–"

    @display(description="Turns", ordering="turns_made")  # type: ignore[untyped-decorator]
    def turn_count(self, call: Any) -> int:
        return int(call.turns_made)

    @display(description="Slowest reply", ordering="slowest_ms")  # type: ignore[untyped-decorator]
    def slowest(self, call: Any) -> str:
        return _seconds(call.slowest_ms)


@admin.register(Turn)
class TurnAdmin(ReadOnly):
    list_display = ("status", "words", "who", "tools", "answered_by", "wait", "created_at")
    list_display_links = ("status", "words")
    list_filter = (DayFilter, TurnKindFilter, "source", "state")
    list_select_related = ("call__user",)
    search_fields = ("transcript", "reply", "error", "call__user__username", "tool_calls__name")
    ordering = ("-created_at",)
    fields = ("call", "model_name", "attempts", "created_at", "finished_at")
    change_form_outer_before_template = "admin/voice/timeline.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Turn]:
        turns: QuerySet[Turn] = super().get_queryset(request)
        return turns.prefetch_related("tool_calls")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        turns = self.get_queryset(request).select_related("call__user").filter(pk=_uuid(object_id))
        uses = asked.by_turn(turns)
        told = [tell(turn, turn.tool_calls.all(), uses[turn.pk], open=True) for turn in turns]
        context = {**(extra_context or {}), "timeline": told}
        answer: HttpResponse = super().change_view(request, object_id, form_url, context)
        return answer

    @display(description="Status", label=STATE_COLOURS)  # type: ignore[untyped-decorator]
    def status(self, turn: Turn) -> tuple[str, str]:
        return turn.state, turn.get_state_display()

    @display(description="Said")  # type: ignore[untyped-decorator]
    def words(self, turn: Turn) -> str:
        return str(turn)

    @display(description="Who", ordering="call__user__username")  # type: ignore[untyped-decorator]
    def who(self, turn: Turn) -> str:
        return str(turn.call.user)

    @display(description="Tools")  # type: ignore[untyped-decorator]
    def tools(self, turn: Turn) -> str:
        return ", ".join(tool.name for tool in turn.tool_calls.all()) or "–"

    @display(description="Answered by", ordering="model_name")  # type: ignore[untyped-decorator]
    def answered_by(self, turn: Turn) -> str:
        provider = turn.model_name.partition("/")[0]
        return configured.label_of("think", provider) if provider else "–"

    @display(  # type: ignore[untyped-decorator]
        description="First sound",
        ordering="first_audio_ms",
        label={"slow": "warning", "quick": "success"},
    )
    def wait(self, turn: Turn) -> tuple[str, str] | None:
        if turn.first_audio_ms is None:
            return None
        return ("slow" if turn.first_audio_ms > SLOW_MS else "quick", _seconds(turn.first_audio_ms))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        # No row has this one, so the page answers that there is none.
        return UUID(int=0)


def _page_of(turn: Turn) -> str:
    return reverse("admin:voice_turn_change", args=[turn.pk])


def _seconds(ms: int | None) -> str:
    return "–" if ms is None else f"{ms / 1000:.2f} s"
