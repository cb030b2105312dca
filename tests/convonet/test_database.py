"""Connections that are let go of while their thread waits for something else."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from convonet import database
from voice.models import Call


@pytest.mark.django_db(transaction=True)
def test_who_waits_lets_go_of_sqlite_and_asks_again_later() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a server's connections stay")
    assert Call.objects.count() == 0
    assert connection.connection is not None
    database.let_go_while_waiting()
    assert connection.connection is None
    assert Call.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_in_the_middle_of_a_change_is_left_alone() -> None:
    with transaction.atomic():
        assert Call.objects.count() == 0
        database.let_go_while_waiting()
        assert connection.connection is not None
