"""The tools an agent may use: plain functions over the services.

`run_tool` is the one way in, for the MCP server and for tests. A tool never raises for what a
person or a model said wrong: it answers with a sentence.
"""

from todo.tools.catalogue import TOOLS
from todo.tools.running import run_tool

__all__ = ["TOOLS", "run_tool"]
