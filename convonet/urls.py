"""Every page but the admin's, and where it lives. Imported by the web process alone."""

from __future__ import annotations

from django.urls import include, path

from convonet.health import healthz
from monitor.views import metrics
from phone.present import is_present

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("", include("todo.urls")),
    path("", include("voice.urls")),
]
if is_present():
    # What these load is installed only where there is a telephone.
    urlpatterns.append(path("", include("phone.urls")))
