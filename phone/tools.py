"""The telephone's tools, as the tool server lists them."""

from __future__ import annotations

from todo.tools.catalogue import Tool

TOOLS: tuple[Tool, ...] = ()
