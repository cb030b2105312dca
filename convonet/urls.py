"""Every page and where it lives. Imported by the web process alone."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from convonet.health import healthz

admin.autodiscover()
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("", include("todo.urls")),
    path("", include("voice.urls")),
]
