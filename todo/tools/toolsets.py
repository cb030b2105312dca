"""Every tool of the product: those of each toolset that the settings name."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from todo.tools.catalogue import Tool


@cache
def tools() -> tuple[Tool, ...]:
    """In the order of the settings; a name that two of them use is a mistake of ours."""
    found = tuple(tool for path in settings.TOOLSETS for tool in import_string(path))
    if len({tool.name for tool in found}) < len(found):
        raise ValueError("two tools have one name")
    return found


def named(name: str) -> Tool | None:
    return _by_name().get(name)


@cache
def _by_name() -> dict[str, Tool]:
    return {tool.name: tool for tool in tools()}
