"""The event of `mcp-tool`: what is published of it, and nothing guessed beside it."""

from __future__ import annotations

from typing import ClassVar

from triggers.events.model.base import EXPERIMENTAL, PLAIN, OpenMap, Part, may, must
from triggers.events.parts.context import Event


class Tool(Part):
    """A tool of an MCP server."""

    OPEN: ClassVar[bool] = True

    description: str | None = may("What the tool does.", PLAIN, state=EXPERIMENTAL)
    name: str = must("Name of the tool.", PLAIN, state=EXPERIMENTAL)


class ToolCall(Part):
    """One call of a tool."""

    OPEN: ClassVar[bool] = True

    params: OpenMap = must("Arguments of the call, by name.", state=EXPERIMENTAL)


class McpToolEvent(Event):
    """A tool was called."""

    tool: Tool = must("The tool.", state=EXPERIMENTAL)
    tool_call: ToolCall = must("The call.", state=EXPERIMENTAL)
