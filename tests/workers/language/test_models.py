"""Who may be asked on a server: what its settings name, and the local grammar on anybody's wish."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.workers.language.fakes import FakeModel
from voice.preferences import Chosen
from workers.language.models import Member, Models, Unasked, load
from workers.uses import Why


def order(models: Models, chosen: Chosen) -> list[tuple[str, str]]:
    return [(member.name, why) for member, why in models.in_order(chosen)]


def test_the_local_one_may_be_chosen_where_only_another_is_named() -> None:
    models = load(["openai"], prefer_local=False)
    assert models.can_be_chosen
    assert order(models, Chosen("local", Why.USER)) == [
        ("local", Why.USER),
        ("openai", Why.FALLBACK),
    ]


def test_but_nobody_else_falls_back_on_it_and_it_is_not_loaded_ahead() -> None:
    models = load(["openai"], prefer_local=False)
    assert order(models, Chosen()) == [("openai", Why.SERVER)]
    assert [member.name for member in models.members] == ["openai"]


@pytest.mark.parametrize("name", ["anthropic", "", "nobody"])
def test_what_the_server_does_not_name_is_no_choice(name: str) -> None:
    models = load(["openai", "google"], prefer_local=True)
    assert order(models, Chosen(name, Why.USER)) == [
        ("openai", Why.SERVER),
        ("google", Why.FALLBACK),
    ]


def test_the_local_one_is_chosen_where_it_answers_what_it_is_sure_of_too() -> None:
    models = load(["openai"], prefer_local=True)
    assert order(models, Chosen("local", Why.BUSINESS))[0] == ("local", Why.BUSINESS)
    assert models.named("local") is models.local


def test_where_the_local_one_is_alone_there_is_nothing_to_choose() -> None:
    assert not load(["local"], prefer_local=False).can_be_chosen
    assert not load(["local"], prefer_local=True).can_be_chosen


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ImproperlyConfigured, match="'cluade'; known: local, anthropic"):
        load(["cluade"], prefer_local=False)


def test_a_dotted_path_is_called_by_its_last_name() -> None:
    (member,) = load(["tests.workers.language.fakes.FakeModel"], prefer_local=False).members
    assert member.label == "FakeModel"
    assert isinstance(member.model, FakeModel)
    assert member.model_name == "fake-1"


def test_a_model_is_made_once_and_when_it_is_first_needed() -> None:
    made: list[FakeModel] = []

    def make() -> FakeModel:
        made.append(FakeModel())
        return made[-1]

    member = Member("a", make)
    assert (made, member.model_name) == ([], "")
    assert member.model is member.model
    assert len(made) == 1


def test_a_model_that_could_not_be_made_is_tried_again() -> None:
    outcomes: list[FakeModel | None] = [None, FakeModel()]

    def make() -> FakeModel:
        made = outcomes.pop(0)
        if made is None:
            raise ImportError("no such SDK")
        return made

    member = Member("a", make)
    with pytest.raises(ImportError):
        _ = member.model
    assert isinstance(member.model, FakeModel)


async def test_a_model_that_was_never_made_is_not_made_to_be_closed() -> None:
    models = load(["anthropic", "openai", "google"], prefer_local=True)
    await models.close()
    assert [member.model_name for member in models.members] == [""] * 4


def test_nobody_ever_asks_the_one_in_langchains_place() -> None:
    with pytest.raises(AssertionError):
        Unasked().invoke("Hello.")
