"""The one place that reads settings and joins ports to adapters, by dotted path.

Everything here is made once per process and only when asked for, so that an unused engine, model
or client costs nothing. Objects made before the fork are shared by the children.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import redis
from django.conf import settings
from django.utils.module_loading import import_string

from workers.options import AgentOptions, MemoryOptions, RetentionOptions
from workers.ports import Synthesizer, Transcriber


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
    )


@cache
def language_model() -> Any:
    """The configured LangChain chat model; untyped here so that langchain is not imported."""
    return import_string(settings.LANGUAGE_MODEL)()


@cache
def transcriber() -> Transcriber:
    return cast(Transcriber, import_string(settings.TRANSCRIBER)())


@cache
def synthesizer() -> Synthesizer:
    return cast(Synthesizer, import_string(settings.SYNTHESIZER)())


def module_of(dotted_path: str) -> str:
    return dotted_path.rpartition(".")[0]


@cache
def turn_runner() -> Any:
    """The child's agent: starts its loop thread and begins to connect to the tool server."""
    from workers.agent_turn import TurnRunner
    from workers.loop import LoopThread
    from workers.tools import TodoServer

    options = agent_options()
    loop = LoopThread()
    loop.start()
    server = TodoServer(options.mcp_url, options.mcp_token)
    loop.loop.call_soon_threadsafe(server.open)
    return TurnRunner(loop, server, language_model(), redis_client(), options)


def stop() -> None:
    """The child ends: close its session and its loop."""
    if turn_runner.cache_info().currsize:
        turn_runner().close()
