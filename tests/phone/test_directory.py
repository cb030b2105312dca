"""Whom a caller means, and who of them is there."""

from __future__ import annotations

import pytest

from phone.directory import Directory
from phone.models import Department
from tests.phone.people import NOON, SUNDAY, add_contact, business, department
from voice.models import Business

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> Business:
    firm = business()
    department(firm, "Sales", "Anna Schmidt", "Ben", also_called="orders, the shop")
    department(firm, "Technical support", "Carla", "Anna Meyer", also_called="help desk")
    department(firm, "IT", "Dimitri")
    return firm


def named(firm: Business, words: str) -> tuple[str, list[str]]:
    found = Directory(firm, NOON).find(words)
    return found.kind, [option.name for option in found.options]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("sales", "Sales"),
        ("Sales.", "Sales"),
        ("the sales department", "Sales"),
        ("somebody from your sales team, please", "Sales"),
        ("orders", "Sales"),
        ("the shop", "Sales"),
        ("sails", "Sales"),
        ("technical support", "Technical support"),
        ("support", "Technical support"),
        ("the help desk", "Technical support"),
        ("tecnical suport", "Technical support"),
        ("IT", "IT"),
        ("the it department", "IT"),
        ("Carla", "Carla"),
        ("Karla", "Carla"),
        ("Dmitri", "Dimitri"),
        ("anna schmidt", "Anna Schmidt"),
        ("Mrs Schmidt", "Anna Schmidt"),
        ("Anna from sales", "Anna Schmidt"),
        ("Anna in Technical support", "Anna Meyer"),
    ],
)
def test_one_is_meant_by_name_by_another_name_or_by_what_was_heard(
    firm: Business, words: str, name: str
) -> None:
    assert named(firm, words) == ("one", [name])


def test_a_name_that_two_have_is_a_choice(firm: Business) -> None:
    assert named(firm, "Anna") == ("several", ["Anna Schmidt", "Anna Meyer"])


@pytest.mark.parametrize("words", ["", "a person", "somebody", "a real human, please", "an agent"])
def test_nobody_named_is_a_choice_of_all(firm: Business, words: str) -> None:
    assert named(firm, words) == ("several", ["Sales", "Technical support", "IT"])


def test_nobody_named_is_the_one_department_there_is() -> None:
    small = business("small")
    department(small, "Office", "Ella")
    department(small, "Emergencies", "Finn", is_emergency=True)
    assert named(small, "a person") == ("one", ["Office"])
    assert named(small, "emergency") == ("one", ["Emergencies"])


def test_whoever_is_the_first_who_is_there() -> None:
    shop = business("shop")
    department(shop, "Day", "Gina", hours="mon-fri 06:00-08:00", order=1)
    department(shop, "Late", "Hugo", hours="mon-fri 11:00-20:00", order=2)
    assert named(shop, "anybody, I don't care") == ("one", ["Late"])
    assert named(shop, "whoever is there") == ("one", ["Late"])


@pytest.mark.parametrize("words", ["purchasing", "the warehouse", "Zacharias"])
def test_a_name_that_nobody_has_is_nobody(firm: Business, words: str) -> None:
    assert named(firm, words) == ("none", [])


def test_a_name_that_only_sounds_alike_is_asked_about(firm: Business) -> None:
    assert named(firm, "cells") == ("perhaps", ["Sales"])


def test_nobody_of_another_business_is_found(firm: Business) -> None:
    other = business("another")
    department(other, "Purchasing", "Ivan")
    assert named(firm, "purchasing") == ("none", [])
    assert named(firm, "Ivan") == ("none", [])


def test_a_business_without_departments_has_nobody() -> None:
    assert named(business("empty"), "a person") == ("none", [])


def names(people: list[object]) -> list[str]:
    return [str(one) for one in people]


@pytest.fixture
def sales(firm: Business) -> Department:
    sales = Department.objects.get(name="Sales")
    add_contact(sales, "Nina", hours="sat-sun 10:00-16:00", order=9)
    return sales


def test_who_is_there_goes_by_their_own_hours_else_the_departments_else_the_firms(
    firm: Business, sales: Department
) -> None:
    assert names([*Directory(firm, NOON).reachable(sales)]) == ["Anna Schmidt", "Ben"]
    assert names([*Directory(firm, SUNDAY).reachable(sales)]) == ["Nina"]
    sales.hours = "sun 11:00-13:00"
    sales.save()
    sales = Department.objects.get(pk=sales.pk)
    assert names([*Directory(firm, SUNDAY).reachable(sales)]) == ["Anna Schmidt", "Ben", "Nina"]


def test_hours_are_those_of_the_zone_of_the_business(firm: Business, sales: Department) -> None:
    firm.time_zone = "Asia/Tokyo"  # 21:00 there
    firm.save()
    assert Directory(firm, NOON).reachable(sales) == []


def test_hours_that_cannot_be_read_keep_nobody_away(firm: Business, sales: Department) -> None:
    Department.objects.filter(pk=sales.pk).update(hours="when we are in")
    assert len(Directory(firm, NOON).reachable(Department.objects.get(pk=sales.pk))) == 2


def test_it_opens_when_the_first_of_them_is_there(firm: Business, sales: Department) -> None:
    closed = Directory(firm, NOON.replace(hour=20))
    assert closed.opening(sales) == "tomorrow at 9 AM"
    assert closed.opening(sales, sales.contacts.get(name="Nina")) == "on Saturday at 10 AM"
    assert closed.opening(department(firm, "Nobody")) == ""


def test_who_was_asked_for_is_tried_first_and_the_others_in_order(
    firm: Business, sales: Department
) -> None:
    directory = Directory(firm, NOON)
    asked_for = sales.contacts.get(name="Ben")
    assert names([*directory.to_try(sales, asked_for, emergency=False)]) == ["Ben", "Anna Schmidt"]
    assert names([*directory.to_try(sales, None, emergency=False)]) == ["Anna Schmidt", "Ben"]


def test_an_emergency_tries_its_own_people_at_any_hour_and_then_who_is_there(
    firm: Business, sales: Department
) -> None:
    department(firm, "Emergencies", "Finn", "Gus", is_emergency=True, order=50, hours="mon 9-10")
    on_sunday = Directory(firm, SUNDAY).to_try(None, None, emergency=True)
    assert names([*on_sunday]) == ["Finn", "Gus", "Nina"]
