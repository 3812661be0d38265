"""What goes into a sandbox: a source, the program built from it, and the request of one execution."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Language(StrEnum):
    JAVASCRIPT = "javascript"
    PYTHON = "python"


@dataclass(frozen=True, slots=True)
class Source:
    """Tenant-authored text and the name that failures show for it."""

    language: Language
    filename: str
    text: str


@dataclass(frozen=True, slots=True)
class Program:
    """A built source. `code` is bytecode of our own guest image and is trusted input for it: it is
    only ever made by `Engine.build` and never taken from a tenant (threat-model E6).

    Attributes:
        source: what it was built from; failures quote it.
        code: JavaScript bytecode, or marshalled Python code.
        image: digest of the guest image that made `code`; another image refuses it.
        exports: top-level function names found without running (may be empty: not knowable).
        mappings: where positions of a compiled text (TypeScript, ES modules) come from; empty when
            `code` was made from the source's own text.
    """

    source: Source
    code: bytes
    image: str
    exports: tuple[str, ...] = ()
    mappings: str = ""

    @property
    def language(self) -> Language:
        return self.source.language


@dataclass(frozen=True, slots=True)
class Request:
    """One execution: which handler, with which event, and what `api` looks like.

    Attributes:
        handler: the trigger's name for it in camelCase, e.g. `onExecutePostLogin`. Python Actions
            spell it in snake_case (`on_execute_post_login`).
        event: JSON text of the event object, secrets included.
        surface: JSON text of the api surface, see docs/decisions/0002-surface-wire-format.md.
    """

    handler: str
    event: str
    surface: str


JsonValue = Any
"""A value made of dict, list, str, int, float, bool and None."""
