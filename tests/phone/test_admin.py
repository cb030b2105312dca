"""Operators keep lines and people, and read what became of calls and transfers."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from phone import wishes
from phone.directory import Option
from phone.models import Contact, Department, Line, PhoneCall, Transfer
from phone.transfer_steps import Try
from tests.phone.people import business, department
from voice.models import Business, Call

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def firm() -> Business:
    return business("Ebert & Sons")


def contacts(*rows: dict[str, str]) -> dict[str, str]:
    """The inline form of a department's people."""
    form = {"contacts-TOTAL_FORMS": str(len(rows)), "contacts-INITIAL_FORMS": "0"}
    for place, row in enumerate(rows):
        filled = {"order": str(place), "hours": "", "number": "", "name": "", **row}
        form |= {f"contacts-{place}-{name}": value for name, value in filled.items()}
    return form


def add_department(operator: Client, firm: Business, people: dict[str, str], **more: str) -> Any:
    form = {"business": str(firm.pk), "name": "Sales", "order": "0", **more}
    return operator.post("/admin/phone/department/add/", form | people)


def errors(answer: Any) -> str:
    """Of the form and of the rows below it."""
    context = answer.context
    rows = [form.errors for formset in context["inline_admin_formsets"] for form in formset.forms]
    return str([context["adminform"].form.errors, *rows])


def test_a_department_is_kept_with_its_people_in_order(operator: Client, firm: Business) -> None:
    people = contacts(
        {"name": "Anna", "number": "+1 (555) 010-0001", "hours": "mon-fri 8-16"},
        {"name": "Ben", "number": "sip:ben@pbx.example.org"},
    )
    answer = add_department(operator, firm, people, hours="mon-sat 09:00-18:00")
    assert answer.status_code == 302, errors(answer)
    department = Department.objects.get(name="Sales")
    kept = list(department.contacts.values_list("name", "number", "hours"))
    assert kept == [
        ("Anna", "+15550100001", "mon-fri 8-16"),
        ("Ben", "sip:ben@pbx.example.org", ""),
    ]


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ({"name": "Anna", "number": "0555 1234"}, "Write it with the country"),
        ({"name": "Anna", "number": "anna"}, "Write it with the country"),
        ({"name": "Anna", "number": "sip:anna"}, "written like sip:name@example.com"),
        ({"name": "Anna", "number": "+15550100001", "hours": "9-17"}, "needs days"),
    ],
)
def test_what_nobody_could_dial_or_read_is_refused_in_a_sentence(
    operator: Client, firm: Business, person: dict[str, str], why: str
) -> None:
    answer = add_department(operator, firm, contacts(person))
    assert answer.status_code == 200
    assert why in errors(answer)
    assert not Contact.objects.exists()


def test_hours_of_a_department_are_read_before_they_are_kept(
    operator: Client, firm: Business
) -> None:
    answer = add_department(operator, firm, contacts(), hours="mon-fry 9-17")
    assert "I know no day “fry”" in errors(answer)
    assert not Department.objects.exists()


def test_a_line_is_kept_as_it_is_dialled(operator: Client, firm: Business) -> None:
    form = {"number": "+1 555 123-4567", "business": str(firm.pk)}
    assert operator.post("/admin/phone/line/add/", form).status_code == 302
    assert Line.objects.get().number == "+15551234567"
    again = operator.post("/admin/phone/line/add/", form)
    assert "already exists" in str(again.context["adminform"].form.errors)


def change_business(operator: Client, firm: Business, **fields: Any) -> Any:
    form = {
        "name": firm.name,
        "greeting": "",
        "consent": "",
        "time_zone": "",
        "hours": "",
        **fields,
    }
    return operator.post(f"/admin/voice/business/{firm.pk}/change/", form)


def test_a_business_is_kept_with_what_the_telephone_needs(operator: Client, firm: Business) -> None:
    answer = change_business(
        operator,
        firm,
        greeting="Hello, this is Ebert and Sons.",
        time_zone="Europe/Berlin",
        hours="mon-fri 09:00-17:00",
        guest_tools=["transfer_to_person", "add_todos"],
        emergency_key="on",
        consent="We record this call.",
    )
    assert answer.status_code == 302
    firm.refresh_from_db()
    assert firm.guest_tools == ["transfer_to_person", "add_todos"]
    assert (firm.time_zone, firm.hours) == ("Europe/Berlin", "mon-fri 09:00-17:00")
    assert (firm.emergency_key, firm.records_calls) == (True, False)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"hours": "all day"}, "no day “all”"),
        ({"hours": "mon 25-26"}, "A day goes from 00:00 to 24:00."),
        ({"time_zone": "Berlin"}, "There is no such time zone"),
        ({"guest_tools": ["rm"]}, "rm is not one of the available choices"),
    ],
)
def test_a_business_that_nobody_could_reach_is_refused(
    operator: Client, firm: Business, fields: dict[str, Any], why: str
) -> None:
    answer = change_business(operator, firm, **fields)
    assert answer.status_code == 200
    assert why in str(answer.context["adminform"].form.errors)


def test_guests_may_be_refused_every_tool(operator: Client, firm: Business) -> None:
    assert change_business(operator, firm).status_code == 302
    firm.refresh_from_db()
    assert firm.guest_tools == []


@pytest.fixture
def transfer(firm: Business) -> Transfer:
    call = Call.objects.create(user=User.objects.create_user("berta"), channel="phone")
    PhoneCall.objects.create(
        call=call, sid="CA1", theirs="+15550199", ours="+15550100", status="completed", seconds=95
    )
    wish = wishes.want(call, Option(department(firm, "Sales", "Anna")), "a <b>broken</b> gate")
    wish.state = Transfer.State.MISSED
    wish.tried = [Try(contact=1, name="Anna <i>", number="+15550123", outcome="busy")]
    wish.save()
    return wish


def page(operator: Client, path: str) -> str:
    answer = operator.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_what_became_of_a_transfer_is_told(operator: Client, transfer: Transfer) -> None:
    listed = page(operator, "/admin/phone/transfer/")
    assert "nobody answered" in listed
    assert "Sales" in listed
    told = page(operator, f"/admin/phone/transfer/{transfer.pk}/change/")
    assert "nobody answered" in told
    assert "Anna &lt;i&gt;: busy" in told
    assert "a &lt;b&gt;broken&lt;/b&gt; gate" in told
    assert f"/admin/voice/call/{transfer.call_id}/change/" in told


def test_a_telephone_call_is_told(operator: Client, transfer: Transfer) -> None:
    listed = page(operator, "/admin/phone/phonecall/")
    assert "+15550199" in listed
    assert "1:35" in listed
    told = page(operator, f"/admin/phone/phonecall/{transfer.call_id}/change/")
    assert "they called" in told
    assert f"/admin/voice/call/{transfer.call_id}/change/" in told


@pytest.mark.parametrize("kind", ["transfer", "phonecall"])
def test_what_happened_cannot_be_changed(operator: Client, transfer: Transfer, kind: str) -> None:
    pk = transfer.pk if kind == "transfer" else transfer.call_id
    assert operator.get(f"/admin/phone/{kind}/add/").status_code == 403
    assert operator.post(f"/admin/phone/{kind}/{pk}/change/", {"state": "done"}).status_code == 403
    assert operator.post(f"/admin/phone/{kind}/{pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("kind", ["transfer", "phonecall", "department", "line"])
def test_who_may_not_see_it_does_not(transfer: Transfer, kind: str) -> None:
    client = Client()
    staff = User.objects.create_user("staff", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_call"))
    client.force_login(staff)
    assert client.get(f"/admin/phone/{kind}/").status_code == 403
    assert "/admin/phone/" not in page(client, "/admin/")


def test_the_sidebar_leads_to_the_telephone(operator: Client) -> None:
    front = page(operator, "/admin/")
    for kind in ("phonecall", "transfer", "department", "line"):
        assert f"/admin/phone/{kind}/" in front
