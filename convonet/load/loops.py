"""The event loop of what drives and stands in: uvloop where there is one.

Driver and stand-ins share the machine with what is measured; what they save is the product's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any


def name() -> str:
    return "uvloop" if find_spec("uvloop") else "asyncio"


def run(main: Coroutine[Any, Any, None]) -> None:
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if name() == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)
