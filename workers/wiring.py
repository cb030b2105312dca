"""The one place that reads settings and joins ports to adapters, by dotted path.

Everything here is made once per process, whichever of its threads asks first, and only when asked
for: an unused engine, model or client costs nothing. Objects made before the fork are shared.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache, partial
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from redis.backoff import NoBackoff
from redis.retry import Retry

from convonet import providers
from convonet.providers import Provider
from workers.options import AgentOptions, MemoryOptions, RetentionOptions
from workers.ports import Synthesizer
from workers.registry import Registry

if TYPE_CHECKING:
    from workers.speech.chain import HearingChain, Link, SpeakingChain


Arguments = ParamSpec("Arguments")
Made = TypeVar("Made")
_making = RLock()


class once(Generic[Arguments, Made]):  # a decorator
    """`functools.cache` that makes nothing twice when two threads ask at once."""

    def __init__(self, make: Callable[Arguments, Made]) -> None:
        self._make = cache(make)

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Made:
        with _making:
            return self._make(*args, **kwargs)  # type: ignore[arg-type]  # they are names

    @property
    def used(self) -> bool:
        return bool(self._make.cache_info().currsize)


@once
def redis_client() -> redis.Redis:
    """Synchronous client, answers as bytes; its pool opens new sockets after a fork by itself."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=5,
        socket_connect_timeout=2,
        socket_keepalive=True,
        health_check_interval=30,
    )


@once
def claiming_client() -> redis.Redis:
    """For a child's main thread alone: one connection, on which nothing is asked twice."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=5,
        socket_connect_timeout=2,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=True,
    )


@once
def agent_options() -> AgentOptions:
    return AgentOptions(
        mcp_url=settings.MCP_URL,
        mcp_token=settings.MCP_TOKEN,
        time_zone=settings.TIME_ZONE,
        turn_seconds=settings.TURN_DEADLINE_SECONDS,
        tool_seconds=settings.TOOL_DEADLINE_SECONDS,
        model_seconds=settings.MODEL_DEADLINE_SECONDS,
    )


@once
def memory_options() -> MemoryOptions:
    return MemoryOptions(
        headroom_mb=settings.CHILD_HEADROOM_MB,
        ceiling_mb=settings.CHILD_CEILING_MB,
    )


@once
def retention_options() -> RetentionOptions:
    return RetentionOptions(
        call_days=settings.CALL_RETENTION_DAYS,
        tool_request_days=settings.TOOL_REQUEST_RETENTION_DAYS,
        recording_days=settings.RECORDING_RETENTION_DAYS,
        memory_hours=settings.MEMORY_HOURS,
    )


@once
def language_models() -> Any:
    """The child's `Models`, none of them made yet; untyped so that langchain is not imported."""
    from workers.language import models
    from workers.language.services import Services

    services = Services(settings.SERVICES_OPEN, settings.SERVICE_IDLE_SECONDS)
    names, prefer_local = settings.LANGUAGE_MODELS, settings.PREFER_LOCAL
    return models.load(names, prefer_local=prefer_local, services=services)


@once
def transcriber() -> HearingChain:
    from workers.speech.chain import HearingChain, Link

    return HearingChain(
        [
            Link(
                name,
                partial(_made, providers.HEARING, name),
                services=speech_services(),
                key=f"hears {name}",
            )
            for name in settings.TRANSCRIBERS
        ]
    )


@once
def synthesizer() -> SpeakingChain:
    from workers.speech.chain import SpeakingChain

    return SpeakingChain([_speaking(name) for name in settings.SYNTHESIZERS])


def synthesizer_named(name: str) -> AbstractContextManager[Synthesizer]:
    """One engine, which the chain and whoever asks for that one share."""
    return _speaking(name).lease()


@once
def _speaking(name: str) -> Link[Synthesizer]:
    from workers.speech.chain import Link

    make = partial(_made, providers.SPEAKING, name)
    return Link(name, make, services=speech_services(), key=f"speaks {name}")


@once
def speech_services() -> Registry[str, Any]:
    """The engines that this process has made; the first of each chain stays once it was loaded."""
    return Registry(most=settings.SERVICES_OPEN, idle_seconds=settings.SERVICE_IDLE_SECONDS)


def modules(catalogue: dict[str, Provider], names: Sequence[str]) -> list[str]:
    """Where the providers of these names are made."""
    return [_provider(catalogue, name).path.rpartition(".")[0] for name in names]


def _made(catalogue: dict[str, Provider], name: str) -> Any:
    return import_string(_provider(catalogue, name).path)()


def _provider(catalogue: dict[str, Provider], name: str) -> Provider:
    provider = providers.named(catalogue, name)
    if provider is None:
        raise ImproperlyConfigured(f"There is no provider {name!r}; known: {', '.join(catalogue)}.")
    return provider


@once
def turn_runner() -> Any:
    """The child's agent: starts its loop thread and begins to connect to the tool server."""
    from workers.agent_loop import Agent
    from workers.agent_turn import TurnRunner
    from workers.loop import LoopThread
    from workers.tools import TodoServer

    options = agent_options()
    loop = LoopThread()
    loop.start()
    server = TodoServer(options.mcp_url, options.mcp_token)
    loop.loop.call_soon_threadsafe(server.open)
    agent = Agent(language_models(), options.model_seconds, settings.SERVICES_OPEN)
    return TurnRunner(loop, server, agent, redis_client(), options)


@once
def realtime_jobs() -> Any:
    """On the child's own loop and tool session."""
    from workers.realtime_jobs import RealtimeJobs

    runner = turn_runner()
    return RealtimeJobs(runner.loop, runner.server, redis_client(), agent_options())


def stop() -> None:
    """The child ends: close its session, its loop and its connections."""
    if turn_runner.used:
        turn_runner().close()
    if (http := sys.modules.get("workers.speech.http")) is not None:
        http.close()
