"""Lines and people for operators: which numbers are whose, and who can be connected when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from phone.admin_fields import HoursField, NumberField
from phone.models import Contact, Department, Line
from voice.admin_choices import BusinessAdmin, BusinessForm
from voice.models import Business

HOURS = "For example “mon-fri 09:00-17:00, sat 10:00-14:00”. Empty: as {}."


class LineForm(forms.ModelForm):  # type: ignore[type-arg]
    number = NumberField(help_text="As people call it, with the country: +15551234567.")

    class Meta:
        model = Line
        fields = ("number", "business")


@admin.register(Line)
class LineAdmin(ModelAdmin):  # type: ignore[misc]  # unfold publishes no types
    form = LineForm
    list_display = ("number", "business")
    list_select_related = ("business",)
    search_fields = ("number", "business__name")
    autocomplete_fields = ("business",)


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    number = NumberField(sip=True, help_text="+15551234567 or sip:name@example.com")
    hours = HoursField(required=False, max_length=200, help_text=HOURS.format("the department"))

    class Meta:
        model = Contact
        fields = ("order", "name", "number", "hours")


class ContactInline(TabularInline):  # type: ignore[misc]  # unfold publishes no types
    model = Contact
    form = ContactForm
    extra = 1


class DepartmentForm(forms.ModelForm):  # type: ignore[type-arg]
    hours = HoursField(required=False, max_length=200, help_text=HOURS.format("the business"))

    class Meta:
        model = Department
        fields = ("business", "name", "also_called", "hours", "is_emergency", "order")
        help_texts = {
            "is_emergency": "The emergency key rings here first, at any hour.",
            "order": "Departments are offered in this order.",
        }


@admin.register(Department)
class DepartmentAdmin(ModelAdmin):  # type: ignore[misc]  # unfold publishes no types
    form = DepartmentForm
    inlines = (ContactInline,)
    list_display = ("name", "business", "people", "open_hours", "kind")
    list_select_related = ("business",)
    list_filter = ("business", "is_emergency")
    search_fields = ("name", "also_called", "business__name", "contacts__name")
    autocomplete_fields = ("business",)
    ordering = ("business", "order", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Department]:
        found: QuerySet[Department] = super().get_queryset(request)
        return found.annotate(people=Count("contacts", distinct=True))

    @display(description="People", ordering="people")  # type: ignore[untyped-decorator]
    def people(self, department: Any) -> int:
        return int(department.people)

    @display(description="Hours")  # type: ignore[untyped-decorator]
    def open_hours(self, department: Department) -> str:
        return department.hours or department.business.hours or "always"

    @display(description="Kind", label={"emergency": "danger", "every day": "info"})  # type: ignore[untyped-decorator]
    def kind(self, department: Department) -> str:
        return "emergency" if department.is_emergency else "every day"


class ReachableBusinessForm(BusinessForm):
    """What the telephone adds to a business's form: hours are read before they are kept."""

    hours = HoursField(
        required=False,
        max_length=200,
        help_text="When people can be reached, for example “mon-fri 09:00-17:00”; empty: always.",
    )


class ReachableBusinessAdmin(BusinessAdmin):
    form = ReachableBusinessForm


admin.site.unregister(Business)
admin.site.register(Business, ReachableBusinessAdmin)
