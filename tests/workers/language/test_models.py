"""Who may be asked on a server: what its settings name, and the local grammar on anybody's wish."""

from __future__ import annotations

import pytest

from voice.preferences import Chosen
from workers.language.models import Models, load
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
