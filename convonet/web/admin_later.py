"""Has those requests know the admin's pages that ask for one of them or are made by its people."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

ADMIN = "/admin"
WITH_ADMIN = "convonet.admin_urls"


class AdminLaterMiddleware(MiddlewareMixin):
    """After the one that says who asks. Staff's own page leads to the admin."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(ADMIN) or request.user.is_staff:
            request.urlconf = WITH_ADMIN
