"""The interface of engines, one for each language: they build programs and run them against a host port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sandbox.core.caps import Limits
from sandbox.core.failure import Failure
from sandbox.core.program import Language, Program, Request, Source
from sandbox.port.interface import HostPort


@dataclass(frozen=True, slots=True)
class EngineReport:
    """An engine's report of one run; the port knows the rest."""

    failure: Failure | None
    peak_memory_bytes: int


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """Everything that may make the same program run otherwise.

    Attributes:
        wasm: SHA-256 of the WebAssembly module, or of what the component is made from.
        guest: digest of everything that goes into the guest image.
        wasmtime: its version.
        flags: of wasmtime, as `sandbox.wasm.engine.configuration_key` names them.
        machine: architecture. Guests run the same on each.
    """

    wasm: str
    guest: str
    wasmtime: str
    flags: str
    machine: str


class Engine(Protocol):
    """A language's sandbox. One per process and language; safe to call from several threads."""

    @property
    def language(self) -> Language: ...

    @property
    def identity(self) -> EngineIdentity: ...

    def build(self, source: Source, limits: Limits, *, load: bool = False) -> Program:
        """Compile and check; with `load`, packages are loaded once as well.

        Raises:
            BuildError: syntax, policy, timeout, memory, stack, output, internal.
        """
        ...

    def exports(
        self, program: Program, limits: Limits, port: HostPort, wanted: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Names of the functions that the top level exports, found by running it; `wanted` are asked for by
        themselves as well. Raises `BuildError` when the top level fails."""
        ...

    def run(self, program: Program, request: Request, limits: Limits, port: HostPort) -> EngineReport:
        """Run the handler in a fresh instance. Never raises for anything that a guest does."""
        ...
