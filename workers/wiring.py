"""The one place that reads settings and joins ports to adapters, by dotted path.

Everything here is made once per process and only when asked for, so that an unused engine, model
or client costs nothing. Objects made before the fork are shared by the children.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from convonet import providers
from convonet.providers import Provider
from workers.options import AgentOptions, MemoryOptions, RetentionOptions
from workers.ports import Synthesizer

if TYPE_CHECKING:
    from workers.speech.chain import HearingChain, SpeakingChain


@cache
def redis_client() -> redis.Redis:
    """Synchronous client, answers as bytes; its pool opens new sockets after a fork by itself."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=5,
        socket_connect_timeout=2,
        socket_keepalive=True,
        health_check_interval=30,
    )


@cache
def agent_options() -> AgentOptions:
    return AgentOptions(
        mcp_url=settings.MCP_URL,
        mcp_token=settings.MCP_TOKEN,
        time_zone=settings.TIME_ZONE,
        turn_seconds=settings.TURN_DEADLINE_SECONDS,
        tool_seconds=settings.TOOL_DEADLINE_SECONDS,
        model_seconds=settings.MODEL_DEADLINE_SECONDS,
    )


@cache
def memory_options() -> MemoryOptions:
    return MemoryOptions(
        headroom_mb=settings.CHILD_HEADROOM_MB,
        ceiling_mb=settings.CHILD_CEILING_MB,
    )


@cache
def retention_options() -> RetentionOptions:
    return RetentionOptions(
        call_days=settings.CALL_RETENTION_DAYS,
        tool_request_days=settings.TOOL_REQUEST_RETENTION_DAYS,
        recording_days=settings.RECORDING_RETENTION_DAYS,
        memory_hours=settings.MEMORY_HOURS,
    )


@cache
def language_models() -> Any:
    """The child's `Models`, none of them made yet; untyped so that langchain is not imported."""
    from workers.language import models
    from workers.language.services import Services

    services = Services(settings.SERVICES_OPEN, settings.SERVICE_IDLE_SECONDS)
    names, prefer_local = settings.LANGUAGE_MODELS, settings.PREFER_LOCAL
    return models.load(names, prefer_local=prefer_local, services=services)


@cache
def transcriber() -> HearingChain:
    from workers.speech.chain import HearingChain, Link

    makers = _makers(providers.HEARING, settings.TRANSCRIBERS)
    return HearingChain([Link(name, make) for name, make in makers])


@cache
def synthesizer() -> SpeakingChain:
    from workers.speech.chain import Link, SpeakingChain

    names = settings.SYNTHESIZERS
    return SpeakingChain([Link(name, partial(synthesizer_named, name)) for name in names])


@cache
def synthesizer_named(name: str) -> Synthesizer:
    """One engine, which the chain and whoever asks for that one share."""
    return cast(Synthesizer, _made(providers.SPEAKING, name))


def modules(catalogue: dict[str, Provider], names: Sequence[str]) -> list[str]:
    """Where the providers of these names are made."""
    return [_provider(catalogue, name).path.rpartition(".")[0] for name in names]


def _makers(
    catalogue: dict[str, Provider], names: Sequence[str]
) -> list[tuple[str, Callable[[], Any]]]:
    return [(name, partial(_made, catalogue, name)) for name in names]


def _made(catalogue: dict[str, Provider], name: str) -> Any:
    return import_string(_provider(catalogue, name).path)()


def _provider(catalogue: dict[str, Provider], name: str) -> Provider:
    provider = providers.named(catalogue, name)
    if provider is None:
        raise ImproperlyConfigured(f"There is no provider {name!r}; known: {', '.join(catalogue)}.")
    return provider


@cache
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


@cache
def realtime_jobs() -> Any:
    """On the child's own loop and tool session."""
    from workers.realtime_jobs import RealtimeJobs

    runner = turn_runner()
    return RealtimeJobs(runner.loop, runner.server, redis_client(), agent_options())


def stop() -> None:
    """The child ends: close its session, its loop and its connections."""
    if turn_runner.cache_info().currsize:
        turn_runner().close()
    if (http := sys.modules.get("workers.speech.http")) is not None:
        http.close()
