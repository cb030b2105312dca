"""The child's language models by name: made after the fork when needed, closed when no longer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from types import ModuleType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.outputs import ChatResult

from convonet import providers
from convonet.providers import Provider
from voice.preferences import Chosen
from workers.breaker import Breaker
from workers.language.services import Close, Opened, Services
from workers.uses import Why

LOCAL = "local"
# A second failure in a row is no chance any more; then it rests for so long.
MOST_FAILURES = 2
REST_SECONDS = 10.0


class Unasked(BaseChatModel):
    """Stands where LangChain wants a model; the routing asks others."""

    @property
    def _llm_type(self) -> str:
        return "unasked"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise AssertionError("models are asked by Routing")


class Member:
    """One provider as this child knows it."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Any],
        *,
        label: str = "",
        tells_end: bool = False,
        services: Services | None = None,
    ) -> None:
        """`tells_end`: its answers end with a reason, and without one are half.

        `services` keeps it open with others, whose number is bounded together.
        """
        self.name = name
        self.label = label or name
        self.tells_end = tells_end
        self.breaker = Breaker(MOST_FAILURES, REST_SECONDS)
        self.services = services or Services()
        self.model_name = ""
        """The provider's own name of it; empty until it was made, and for the local grammar."""
        self._make = make
        self._kept = ExitStack()
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The LangChain chat model, open until the child ends: its next turn does not wait for it.

        Raises whatever its adapter raises, each time until it can be made.
        """
        if self._model is None:
            self._model = self._kept.enter_context(self.lease()).model
        return self._model

    def lease(self) -> AbstractContextManager[Opened]:
        """The model for one question; raises as `model` does."""
        return self.services.lease(self.name, self._open)

    async def close(self) -> None:
        """On the loop that asked it."""
        self._model = None
        self._kept.close()
        await self.services.close()

    def _open(self) -> Opened:
        opened = Opened(self._make(), self._closing())
        self.model_name = _model_name(opened.model) if self.name != LOCAL else ""
        return opened

    def _closing(self) -> Close | None:
        """What closes its client."""
        return None


class Named(Member):
    """A provider of the catalogue, or a class by its dotted path."""

    def __init__(self, provider: Provider, services: Services | None = None) -> None:
        self._module, _, self._attribute = provider.path.rpartition(".")
        super().__init__(
            provider.name,
            lambda: getattr(self.load(), self._attribute)(),
            label=provider.label if "." in provider.name else provider.name,
            # Those that come over a wire tell how they ended.
            tells_end=bool(provider.module),
            services=services,
        )

    def load(self) -> ModuleType:
        """Its adapter, imported with its SDK."""
        return import_module(self._module)

    def _closing(self) -> Close | None:
        return getattr(self.load(), "close", None)


def _model_name(model: Any) -> str:
    names = (getattr(model, attribute, None) for attribute in ("model_name", "model"))
    found = next((name for name in names if isinstance(name, str) and name), "")
    return found.removeprefix("models/")


class Models:
    """In the order of the settings. `local` answers what it is sure of before anyone is asked.

    `spare` may be chosen as well, but stands in for nobody and is loaded when it is first asked.
    """

    def __init__(
        self, members: Sequence[Member], local: Member | None = None, spare: Member | None = None
    ) -> None:
        self._members = list(members)
        self._spare = spare
        self.local = local

    @property
    def members(self) -> list[Member]:
        """Those to load ahead."""
        known = {member.name: member for member in self._members}
        if self.local is not None:
            known.setdefault(self.local.name, self.local)
        return list(known.values())

    @property
    def can_be_chosen(self) -> bool:
        return len(self._choosable) > 1

    def in_order(self, chosen: Chosen) -> list[tuple[Member, str]]:
        """Whom to ask, and why, the choice first; one that this server does not offer is none."""
        first = self.named(chosen.language_model)
        others = [member for member in self._members if member is not first]
        ordered = [first, *others] if first is not None else others
        why = chosen.why if first is not None else Why.SERVER
        return [(m, why if n == 0 else Why.FALLBACK) for n, m in enumerate(ordered)]

    def named(self, name: str) -> Member | None:
        return next((member for member in self._choosable if member.name == name), None)

    @property
    def _choosable(self) -> list[Member]:
        return self.members if self._spare is None else [*self.members, self._spare]

    async def close(self) -> None:
        for member in self._choosable:
            await member.close()


def load(names: Sequence[str], *, prefer_local: bool, services: Services | None = None) -> Models:
    """Of the settings' names; imports nothing yet. Raises ImproperlyConfigured."""
    services = services or Services(len(providers.LANGUAGE))
    members = {name: Named(_provider(name), services) for name in names}
    own = members.get(LOCAL)
    local = own or Named(_provider(LOCAL), services)
    if prefer_local:
        return Models(list(members.values()), local)
    # It needs no key, so whoever wishes may have it answer on any server.
    return Models(list(members.values()), spare=None if own else local)


def _provider(name: str) -> Provider:
    provider = providers.named(providers.LANGUAGE, name)
    if provider is None:
        known = ", ".join(providers.LANGUAGE)
        raise ImproperlyConfigured(f"There is no language model {name!r}; known: {known}.")
    return provider
