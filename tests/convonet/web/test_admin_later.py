"""The admin's pages, which the web process loads when they are wanted."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core import checks
from django.test import Client

pytestmark = pytest.mark.django_db


def test_whoever_asks_for_the_admin_gets_to_its_login() -> None:
    assert Client().get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    assert Client().get("/admin").headers["Location"] == "/admin/"
    assert Client().get("/admin/login/").status_code == 200
    assert Client().get("/admin/nothing/there/").status_code == 302


def test_the_page_of_staff_leads_to_the_admin_and_of_others_does_not() -> None:
    client = Client()
    for name, staff in (("sam", True), ("una", False)):
        client.force_login(User.objects.create_user(name, is_staff=staff))
        page = client.get("/").content.decode()
        assert ('aria-label="Admin"' in page) is staff


@pytest.mark.urls("convonet.admin_urls")
def test_the_admin_has_no_fault_that_django_knows_of() -> None:
    assert checks.run_checks() == []
