"""Who is let in without a password, and who tries in vain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY, get_user_model
from django.test import Client, RequestFactory, override_settings

from convonet.embedded_login import FORWARDED, SESSION_MARK, is_welcome

HERE: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}


@pytest.fixture
def client(db: None) -> Iterator[Client]:
    get_user_model().objects.create_user("demo")
    with override_settings(EMBEDDED_LOGIN=True, DEMO_USERNAME="demo"):
        yield Client()


def is_logged_in(client: Client) -> bool:
    return SESSION_KEY in client.session


def test_first_visitor_at_this_machine_is_the_demo_user_and_is_told_so(client: Client) -> None:
    response = client.get("/", **HERE)
    assert response.status_code == 200
    assert is_logged_in(client)
    assert client.session[SESSION_MARK] is True


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_every_name_of_this_machine_is_known(host: str) -> None:
    assert is_welcome(RequestFactory().get("/", REMOTE_ADDR="::1", HTTP_HOST=host))


@pytest.mark.parametrize("header", FORWARDED)
def test_visitor_brought_by_a_proxy_is_not_let_in(client: Client, header: str) -> None:
    response = client.get("/", **HERE | {header: "127.0.0.1"})
    assert response.status_code == 302
    assert not is_logged_in(client)


@pytest.mark.parametrize("address", ["192.168.1.20", "10.0.0.1", "::ffff:8.8.8.8", "", "unix:"])
def test_visitor_from_another_address_is_not_let_in(client: Client, address: str) -> None:
    client.get("/", **HERE | {"REMOTE_ADDR": address})
    assert not is_logged_in(client)


@pytest.mark.parametrize(
    "host", ["talk.example.org", "localhost.example.org", "127.0.0.1.nip.io", "8.8.8.8", ""]
)
def test_visitor_of_another_name_is_not_let_in(host: str) -> None:
    """A page elsewhere that points its own name at 127.0.0.1 must not be let in."""
    assert not is_welcome(RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_HOST=host))


@pytest.mark.parametrize("use", ["iframe", "image", "script", "empty"])
def test_page_of_another_site_that_embeds_ours_logs_nobody_in(client: Client, use: str) -> None:
    client.get("/", **HERE | {"HTTP_SEC_FETCH_DEST": use})
    assert not is_logged_in(client)


def test_published_service_lets_nobody_in(client: Client) -> None:
    with override_settings(EMBEDDED_LOGIN=False):
        assert client.get("/", **HERE).status_code == 302
    assert not is_logged_in(client)


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/login/", "/login/", "/healthz", "/metrics", "/static/x"]
)
def test_admin_login_page_and_probes_stay_closed(client: Client, path: str) -> None:
    client.get(path, **HERE)
    assert not is_logged_in(client)


def test_post_logs_nobody_in(client: Client) -> None:
    client.post("/", **HERE)
    assert not is_logged_in(client)


def test_somebody_logged_in_stays_who_they_are(client: Client) -> None:
    anna = get_user_model().objects.create_user("anna")
    client.force_login(anna)
    client.get("/", **HERE)
    assert client.session[SESSION_KEY] == str(anna.pk)
    assert SESSION_MARK not in client.session


@pytest.mark.parametrize("change", [{"is_staff": True}, {"is_active": False}])
def test_demo_user_with_rights_or_locked_out_is_not_given_away(
    client: Client, change: dict[str, bool]
) -> None:
    get_user_model().objects.filter(username="demo").update(**change)
    client.get("/", **HERE)
    assert not is_logged_in(client)
