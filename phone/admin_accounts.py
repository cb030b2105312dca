"""Who calls from which numbers, and who is locked out, for operators: no PIN is ever shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from phone import tries
from phone.admin_fields import NumberField
from phone.models import FailedTries, PhoneAccount, PhoneNumber
from voice.admin_base import ReadOnly


class NumberForm(forms.ModelForm):  # type: ignore[type-arg]
    number = NumberField(help_text="+15551234567")

    class Meta:
        model = PhoneNumber
        fields = ("number",)


class NumberInline(TabularInline):  # type: ignore[misc]  # unfold publishes no types
    model = PhoneNumber
    form = NumberForm
    extra = 1


@admin.register(PhoneAccount)
class PhoneAccountAdmin(ModelAdmin):  # type: ignore[misc]
    inlines = (NumberInline,)
    list_display = ("owner", "calls_from", "has_pin", "rings", "recorded")
    list_select_related = ("owner",)
    list_filter = ("rings", "recorded")
    search_fields = ("owner__username", "owner__first_name", "numbers__number")
    autocomplete_fields = ("owner",)
    fields = ("owner", "has_pin", "pin_set_at", "rings", "recorded")
    readonly_fields = ("has_pin", "pin_set_at")
    actions = ("forget_pin", "unlock")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhoneAccount]:
        found: QuerySet[PhoneAccount] = super().get_queryset(request)
        return found.prefetch_related(Prefetch("numbers"))

    @display(description="Calls from")  # type: ignore[untyped-decorator]
    def calls_from(self, account: PhoneAccount) -> str:
        return ", ".join(each.number for each in account.numbers.all()) or "-"

    @display(description="PIN", boolean=True)  # type: ignore[untyped-decorator]
    def has_pin(self, account: PhoneAccount) -> bool:
        return bool(account.pin)

    @action(description="Forget the PIN", permissions=["change"])  # type: ignore[untyped-decorator]
    def forget_pin(self, request: HttpRequest, accounts: QuerySet[PhoneAccount]) -> None:
        forgotten = accounts.update(pin="", pin_set_at=None)
        messages.success(request, f"{forgotten} must set a new PIN.")

    @action(description="Lift the lock after wrong PINs", permissions=["change"])  # type: ignore[untyped-decorator]
    def unlock(self, request: HttpRequest, accounts: QuerySet[PhoneAccount]) -> None:
        """Of the accounts; a number stays locked, which may be somebody else's doing."""
        tries.lift(*(tries.of_account(account.pk) for account in accounts))
        messages.success(request, "They can try again, from numbers that are not locked.")


@admin.register(FailedTries)
class FailedTriesAdmin(ReadOnly):
    """Deleting one lifts its lock."""

    list_display = ("subject", "count", "last_at", "lock")
    search_fields = ("subject",)
    ordering = ("-last_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("phone.delete_failedtries"))

    @display(description="Lock", label={"locked": "danger", "free": "success"})  # type: ignore[untyped-decorator]
    def lock(self, row: FailedTries) -> tuple[str, str]:
        now = timezone.now()
        if row.locked_until is None or row.locked_until <= now:
            return "free", "free"
        return "locked", f"locked until {timezone.localtime(row.locked_until):%d %b %H:%M}"
