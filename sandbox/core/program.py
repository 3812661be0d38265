"""The input of a sandbox: a source, the program built from it, and the request of one execution."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Language(StrEnum):
    JAVASCRIPT = "javascript"
    PYTHON = "python"


@dataclass(frozen=True, slots=True)
class SharedModule:
    """One version of an Actions Module, which a source requires as `actions:NAME`.

    Attributes:
        name: what follows `actions:`.
        filename: of its source; the extension says what it is written in.
    """

    name: str
    filename: str
    text: str


def python_name(module: str) -> str:
    """The name under which Python Actions import the shared module `module` from `actions`: hyphens become
    underscores."""
    return module.replace("-", "_")


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file of a pure-Python package.

    Attributes:
        scope: whose package it is: empty for the Action's own, or the name under which the shared module
            is imported.
        name: full name of the module, such as `idna.core`.
        filename: as failures show it.
        is_package: it is an `__init__.py`.
    """

    scope: str
    name: str
    filename: str
    text: str
    is_package: bool = False


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Packages and modules that a source may require. Made by `sandbox.action_build.prepare` or
    `sandbox.packages.wheels.prepare`, never taken from a tenant.

    Attributes:
        digest: names all of it, in hex.
        bundle: JavaScript: a script of all npm packages, in versions from before there were archives.
        entries: JavaScript: scope (empty, or `actions:NAME`) and specifier of everything that is loaded.
        modules: in order of name.
        files: Python: the files of all packages, in order of scope and name.
        archive: JavaScript: the files of all npm packages, as base64 of what
            `sandbox.javascript.packages.files` reads; empty for none.
    """

    digest: str
    bundle: str = field(default="", repr=False, compare=False)
    entries: tuple[tuple[str, str], ...] = ()
    modules: tuple[SharedModule, ...] = field(default=(), compare=False)
    files: tuple[PackageFile, ...] = field(default=(), compare=False)
    archive: str = field(default="", repr=False, compare=False)

    @classmethod
    def of(
        cls,
        archive: bytes,
        entries: tuple[tuple[str, str], ...],
        modules: tuple[SharedModule, ...],
        files: tuple[PackageFile, ...] = (),
    ) -> Dependencies:
        """With its digest."""
        parts: list[Any] = [
            hashlib.sha256(archive).hexdigest(),
            entries,
            [[item.name, item.filename, item.text] for item in modules],
        ]
        if files:
            parts.append([[item.scope, item.name, item.filename, item.text] for item in files])
        return cls(
            hashlib.sha256(json.dumps(parts).encode()).hexdigest(),
            entries=entries,
            modules=modules,
            files=files,
            archive=base64.b64encode(archive).decode("ascii"),
        )


@dataclass(frozen=True, slots=True)
class Source:
    """Tenant-authored text and the name that failures show for it.

    `dependencies`: None for none.
    """

    language: Language
    filename: str
    text: str
    dependencies: Dependencies | None = None


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
        modules: JavaScript: the shared modules, whose code is in the image. Python: shared modules and
            files of packages, by their numbers in `code`.
        notes: what whoever builds the Action should know, in sentences for the log of the build.
    """

    source: Source
    code: bytes
    image: str
    exports: tuple[str, ...] = ()
    mappings: str = ""
    modules: tuple[Program, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

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
        module_secrets: JSON text of an object: secrets by name, by name of the shared module; empty for
            none.
    """

    handler: str
    event: str
    surface: str
    module_secrets: str = ""


JsonValue = Any
"""A value made of dict, list, str, int, float, bool and None."""
