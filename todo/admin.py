"""What people keep, for operators: their edits are recorded and undoable like all others."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from todo import changes, dates, lists, reminders, todos
from todo.actor import Actor, actor_for
from todo.models import Change, Preferences, Priority, Reminder, Todo, TodoList
from todo.selecting import is_overdue


class OwnRowsForm(ModelForm):  # type: ignore[type-arg]
    """Refuses another person's list or todo, and a repetition that is no rule."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        owner = cleaned.get("owner") or getattr(self.instance, "owner", None)
        for name in ("list", "todo"):
            row = cleaned.get(name)
            if row is not None and row.owner != owner:
                self.add_error(name, f"That {name} belongs to somebody else.")
        if cleaned.get("repeat") and not _is_rule(cleaned["repeat"]):
            self.add_error("repeat", "That is not an RRULE, for example FREQ=WEEKLY;BYDAY=MO.")
        return cleaned


class Recorded(ModelAdmin):  # type: ignore[misc]  # unfold publishes no types
    """Saves through the record of changes, as the row's owner."""

    form = OwnRowsForm
    list_select_related: tuple[str, ...] = ("owner",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with changes.recording(_owner(obj)) as recording:
            if change:
                kept = type(obj).objects.get(pk=obj.pk)
                recording.edit(
                    kept, **{name: form.cleaned_data[name] for name in form.changed_data}
                )
            else:
                recording.create(obj)
            recording.finish(f"{'changed' if change else 'added'}: {obj}")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("owner",) if obj else ()


class TodoState(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("overdue", "Overdue"), ("done", "Done"), ("deleted", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Todo]) -> QuerySet[Todo]:
        wanted = {
            "open": Q(deleted_at=None, completed_at=None),
            "overdue": Q(deleted_at=None, completed_at=None, due_at__lt=timezone.now()),
            "done": Q(deleted_at=None, completed_at__isnull=False),
            "deleted": Q(deleted_at__isnull=False),
        }.get(self.value() or "")
        return queryset.filter(wanted) if wanted else queryset


@admin.register(Todo)
class TodoAdmin(Recorded):
    list_display = ("state", "title", "owner", "list", "due", "importance", "assignee")
    list_display_links = ("state", "title")
    list_filter = (TodoState, "priority")
    list_select_related = ("owner", "list")
    search_fields = ("title", "notes", "assignee", "owner__username")
    autocomplete_fields = ("owner", "list")
    fields = (
        "owner", "list", "title", "notes", "due_at", "due_has_time", "repeat", "priority",
        "tags", "assignee", "completed_at",
    )  # fmt: skip

    def delete_model(self, request: HttpRequest, obj: Todo) -> None:
        todos.delete(_owner(obj), [obj])

    @display(  # type: ignore[untyped-decorator]
        description="State",
        label={"open": "info", "overdue": "danger", "done": "success", "deleted": "default"},
    )
    def state(self, todo: Todo) -> str:
        if todo.deleted_at is not None:
            return "deleted"
        if todo.completed_at is not None:
            return "done"
        actor = Actor(todo.owner, timezone.get_current_timezone(), timezone.now())
        return "overdue" if is_overdue(todo, actor) else "open"

    @display(description="Due", ordering="due_at")  # type: ignore[untyped-decorator]
    def due(self, todo: Todo) -> str:
        if todo.due_at is None:
            return "–"
        local = timezone.localtime(todo.due_at)
        return f"{local:%d %b %Y, %H:%M}" if todo.due_has_time else f"{local:%d %b %Y}"

    @display(  # type: ignore[untyped-decorator]
        description="Priority", ordering="priority", label={"high": "warning", "urgent": "danger"}
    )
    def importance(self, todo: Todo) -> str:
        return str(Priority(todo.priority).label)


@admin.register(TodoList)
class TodoListAdmin(Recorded):
    list_display = ("name", "owner", "is_default", "open_todos", "created_at")
    search_fields = ("name", "owner__username")
    autocomplete_fields = ("owner",)
    fields = ("owner", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TodoList]:
        found: QuerySet[TodoList] = super().get_queryset(request)
        waiting = Q(todos__deleted_at=None, todos__completed_at=None)
        return found.annotate(waiting=Count("todos", filter=waiting))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        kept = obj is not None and obj.is_default
        return not kept and bool(super().has_delete_permission(request, obj))

    def delete_model(self, request: HttpRequest, obj: TodoList) -> None:
        if not obj.is_default:
            lists.delete_list(_owner(obj), obj)

    @display(description="Open todos", ordering="waiting")  # type: ignore[untyped-decorator]
    def open_todos(self, one: Any) -> int:
        return int(one.waiting)


@admin.register(Reminder)
class ReminderAdmin(Recorded):
    list_display = ("status", "text", "owner", "due_at", "repeat", "told_at")
    list_display_links = ("status", "text")
    list_filter = ("state",)
    search_fields = ("text", "owner__username")
    autocomplete_fields = ("owner", "todo")
    fields = ("owner", "text", "due_at", "repeat", "todo")

    def delete_model(self, request: HttpRequest, obj: Reminder) -> None:
        reminders.cancel(_owner(obj), [obj])

    @display(  # type: ignore[untyped-decorator]
        description="State",
        label={"waiting": "info", "fired": "warning", "told": "success", "cancelled": "default"},
    )
    def status(self, reminder: Reminder) -> tuple[str, str]:
        return reminder.state, reminder.get_state_display()


@admin.register(Change)
class ChangeAdmin(ModelAdmin):  # type: ignore[misc]  # unfold publishes no types
    list_display = ("summary", "owner", "status", "created_at")
    list_filter = (("undone_at", admin.EmptyFieldListFilter),)
    list_select_related = ("owner",)
    search_fields = ("summary", "owner__username")
    fields = ("owner", "summary", "status", "created_at", "undone_at", "call_id", "turn_id", "what")
    readonly_fields = ("status", "what")
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="State", label={"undone": "warning", "made": "success"})  # type: ignore[untyped-decorator]
    def status(self, change: Change) -> str:
        return "undone" if change.undone_at else "made"

    @display(description="Rows before and after")  # type: ignore[untyped-decorator]
    def what(self, change: Change) -> str:
        rows = json.dumps(change.rows, indent=2, ensure_ascii=False)
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', rows)


class PreferencesInline(StackedInline):  # type: ignore[misc]  # unfold publishes no types
    model = Preferences


admin.site.unregister((User, Group))


@admin.register(Group)
class PlainGroupAdmin(GroupAdmin, ModelAdmin):  # type: ignore[misc]  # unfold publishes no types
    pass


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # no types for unfold
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (PreferencesInline,)


def _is_rule(text: str) -> bool:
    try:
        return dates.next_occurrence(text, timezone.localtime()) is not None
    except ValueError:
        return False


def _owner(obj: Any) -> Actor:
    return actor_for(obj.owner, timezone.now())
