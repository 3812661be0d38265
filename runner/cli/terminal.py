"""Consoles: rich on a terminal, plain text without wrapping elsewhere, NO_COLOR respected."""

from __future__ import annotations

import sys
from typing import Final

from rich.console import Console
from rich.text import Text

from runner.model.text import printable

_UNWRAPPED: Final = 10_000
"""Columns where output is not a terminal: lines stay whole for grep and for logs."""


def output_console() -> Console:
    """Standard output."""
    return _console(stderr=False)


def error_console() -> Console:
    """Standard error."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    return Console(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        force_terminal=None if terminal else False,
        width=None if terminal else _UNWRAPPED,
    )


def line(*parts: str | tuple[str, str], indent: int = 0) -> Text:
    """One line made of texts and (text, style) pairs; what came from a tenant is made safe here."""
    text = Text(" " * indent)
    for part in parts:
        content, style = part if isinstance(part, tuple) else (part, "")
        text.append(printable(content), style=style)
    return text
