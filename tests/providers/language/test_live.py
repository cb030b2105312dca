"""The contract against the real services, for whoever has keys (`make live`); it costs a few cents.

ANTHROPIC_API_KEY, GOOGLE_API_KEY, OPENAI_API_KEY and COMPATIBLE_URL say which; …_MODEL and …_URL
work as for the product.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from convonet import providers
from tests.providers.language.contract import LanguageContract
from tests.providers.language.service import Service, opened
from workers.language import failures

pytestmark = pytest.mark.live
NAMES = [name for name, provider in providers.LANGUAGE.items() if provider.key]


def skip_without(name: str) -> None:
    if lacking := providers.missing(providers.LANGUAGE[name]):
        pytest.skip(lacking)


@pytest.fixture(params=NAMES)
async def service(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    skip_without(request.param)
    async with opened(request.param, monkeypatch, {}) as service:
        yield service


class TestLive(LanguageContract):
    pass


@pytest.mark.parametrize("name", [name for name in NAMES if name != "compatible"])
async def test_a_wrong_key_is_told_from_all_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without(name)
    key = providers.LANGUAGE[name].key
    async with opened(name, monkeypatch, {key: "wrong"}) as service:
        assert (await service.ask("Say yes.")).code == failures.AUTH


@pytest.mark.parametrize("name", [name for name in NAMES if name != "compatible"])
async def test_a_model_that_does_not_exist_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without(name)
    chosen = {f"{name.upper()}_MODEL": "no-such-model"}
    async with opened(name, monkeypatch, chosen) as service:
        assert (await service.ask("Say yes.")).code == failures.REFUSED
