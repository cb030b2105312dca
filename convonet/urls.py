"""Every page and where it lives. Imported by the web process alone."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

admin.autodiscover()
urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("voice.urls")),
]
