"""Memory for operators: one page instead of a list of rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from monitor import page
from monitor.models import MemorySample
from voice.admin_base import ReadOnly


@admin.register(MemorySample)
class MemorySampleAdmin(ReadOnly):
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = page.of(request.GET.get("over", ""), request.GET.get("host", ""))
        context = self.admin_site.each_context(request) | asked
        return TemplateResponse(request, "admin/monitor/memory.html", context)
