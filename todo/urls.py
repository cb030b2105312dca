"""The page's own requests about todos; the calls themselves are in `voice.urls`."""

from __future__ import annotations

from django.urls import path

from todo import views

urlpatterns = [
    path("todos/", views.collection, name="todos"),
    path("todos/<int:pk>/", views.one, name="todo"),
    path("reminders/<int:pk>/", views.reminder, name="reminder"),
    path("reminders/<int:pk>/told/", views.told, name="reminder-told"),
    path("changes/<int:pk>/undo/", views.undo, name="undo-change"),
]
