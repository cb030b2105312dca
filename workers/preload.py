"""What each worker role loads before it forks, and makes after: one list, in one place.

The parent imports and freezes, so that the children share its pages; whatever holds a socket, a
thread or a loop is made in the child. A role never imports what only the other one needs.
"""

from __future__ import annotations

import gc
import linecache
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from time import monotonic
from typing import Any

from celery import platforms, signals
from django.conf import settings

from convonet import database, lifeline, profiles, providers
from convonet.web import heap
from voice import envelope
from workers import engines, wiring
from workers.errors import place_of

logger = logging.getLogger("workers.preload")

AGENT, SPEECH = "agent", "speech"
SWITCH_SECONDS = 0.0005
# Imported by the parent of each role, besides the configured model or engines.
MODULES: dict[str, tuple[str, ...]] = {
    AGENT: (
        "workers.agent_turn",
        "workers.rehearsal",
        "workers.reminders",
        "workers.retention",
        # Loaded only when a first query or connection is made.
        "django.db.models.sql.compiler",
        "anyio._backends._asyncio",
        "httpcore",
        "httpcore._backends.anyio",
        "httpcore._backends.auto",
    ),
    SPEECH: (
        "workers.speech_jobs",
        "workers.speech.chain",
        "workers.reminders",
        "django.db.models.sql.compiler",
        "wave",
    ),
}
# And what the tool server needs, where this parent forks it.
TOOLS = (
    "todo.mcp_http",
    "workers.clock",
    "monitor.recorder",
    "monitor.sampler",
    "ctypes",
    "setproctitle",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
    "httpx._transports.asgi",
)
# These say at length what our own log lines say in one.
_NOISY = {
    "mcp.client": logging.CRITICAL,
    "httpx": logging.CRITICAL,
    "langchain_google_genai": logging.ERROR,
    "celery.worker.strategy": logging.WARNING,
    "celery.app.trace": logging.WARNING,
}


def roles(queues: Iterable[str]) -> tuple[str, ...]:
    """The roles of a worker: what the Procfile says, else by the queues it consumes, else both."""
    named = os.environ.get("WORKER_ROLE", "").split(",")
    chosen = [role for role in (AGENT, SPEECH) if role in named]
    known = tuple(chosen or [role for role in (AGENT, SPEECH) if role in queues])
    return known or (AGENT, SPEECH)


def turns_per_child() -> int:
    """How many tasks one child of this worker works on at once; known once it has begun."""
    computes = SPEECH in _chosen and envelope.speech_computes()
    return 1 if computes else settings.TURNS_PER_CHILD


def load(chosen: Iterable[str]) -> None:
    """In the parent: import, warm what needs no socket, freeze."""
    for role in chosen:
        for module in MODULES[role]:
            import_module(module)
        _PARENT[role]()
    linecache.clearcache()  # what a warning at the start quoted from
    gc.collect()
    # Keeps the collector from touching, and so copying, the pages shared with the children.
    gc.freeze()


def warm_up(chosen: Iterable[str]) -> None:
    """In the child: make what the first caller would otherwise wait for."""
    for role in chosen:
        _CHILD[role]()


def _load_agent() -> None:
    from workers import rehearsal

    for member in wiring.language_models().members:
        if member.name == "local":
            rehearsal.rehearse_model(member.model)
        else:
            # A provider's model makes its HTTP client when made, and that belongs into the child.
            _rehearse(member)
    rehearsal.rehearse()
    _load_services()
    if settings.TOOLS_IN_WORKER:
        for module in TOOLS:
            import_module(module)
        rehearsal.rehearse_tools()


def _rehearse(member: Any) -> None:
    """An SDK that cannot even be loaded here fails its turns, with a reason, and not the worker."""
    from workers import rehearsal

    try:
        rehearsal.rehearse_module(member.load())
    except Exception as error:
        fields = {"provider": member.label, "error": place_of(error)}
        logger.error("language model not rehearsed", extra=fields)


def _load_speech() -> None:
    # What computes, and numpy below it, is loaded by the children that use it.
    engines.share()
    _import_all(
        *wiring.modules(providers.HEARING, _services(settings.TRANSCRIBERS)),
        *wiring.modules(providers.SPEAKING, _services(settings.SYNTHESIZERS)),
    )
    _read_certificates()


def _services(names: Sequence[str]) -> list[str]:
    return [name for name in names if not profiles.computes_speech([name])]


def _load_services() -> None:
    """What asks services to hear and speak, where this worker does."""
    if settings.HEARING_QUEUE == AGENT:
        _import_all(
            "workers.speech_jobs", *wiring.modules(providers.HEARING, settings.TRANSCRIBERS)
        )
    if settings.SPEAKING_QUEUE == AGENT:
        _import_all(*MODULES[SPEECH], *wiring.modules(providers.SPEAKING, settings.SYNTHESIZERS))
    _read_certificates()


def _read_certificates() -> None:
    """For all children, where any of them asks services."""
    if (http := sys.modules.get("workers.speech.http")) is not None:
        http.trusted()


def _import_all(*modules: str) -> None:
    for module in modules:
        import_module(module)


def _warm_speech() -> None:
    if engines.awake():
        engines.load_all()


def _warm_agent() -> None:
    # The loop's thread and the task's take turns; while one computes, the other has words to tell.
    sys.setswitchinterval(SWITCH_SECONDS)
    wiring.turn_runner()
    # The others are made when they are first needed.
    _ = wiring.language_models().members[0].model


_PARENT: dict[str, Callable[[], None]] = {AGENT: _load_agent, SPEECH: _load_speech}
_CHILD: dict[str, Callable[[], None]] = {AGENT: _warm_agent, SPEECH: _warm_speech}
_chosen: tuple[str, ...] = ()


@signals.worker_init.connect
def _on_worker_init(sender: Any, **_: Any) -> None:
    global _chosen
    began = monotonic()
    # The environment says so only to a program that is started anew, and this may be a fork.
    heap.keep_small()
    database.keep_all()
    # Celery's own way parses C where cffi is installed, which writes to 3 MB of shared pages.
    platforms.set_pdeathsig = _tie_child
    _chosen = roles(sender.app.amqp.queues.consume_from)
    load(_chosen)
    fields = {"roles": ",".join(_chosen), "took_ms": round((monotonic() - began) * 1000)}
    logger.info("worker preloaded", extra=fields)


def _tie_child(name: str) -> None:
    """In a child, by its pool: a worker that is killed takes its children with it."""
    lifeline.die_with_parent(signal.Signals[name])


@signals.worker_process_init.connect
def _on_child_start(**_: Any) -> None:
    try:
        warm_up(_chosen)
    except Exception as error:
        # The child lives: each task will try again and tell its caller.
        logger.exception("child not warmed up", extra={"error": type(error).__name__})


@signals.worker_process_shutdown.connect
def _on_child_end(**_: Any) -> None:
    wiring.stop()


def quieten() -> None:
    for name, level in _NOISY.items():
        logging.getLogger(name).setLevel(level)
