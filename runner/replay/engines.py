"""Engines on record: which ones ran a leg, and in what those of this build differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from pydantic import BaseModel, ConfigDict

import sandbox
from sandbox.core.program import Language


class EngineRecord(BaseModel):
    """See `sandbox.engine.EngineIdentity`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wasm: str
    guest: str
    wasmtime: str
    flags: str
    machine: str

    def __str__(self) -> str:
        return f"guest {self.guest[:12]} on wasmtime {self.wasmtime} ({self.machine})"


@dataclass(frozen=True, slots=True)
class OtherEngine:
    """An engine that is not the one that recorded. It runs the record all the same."""

    language: Language
    recorded: EngineRecord
    now: EngineRecord

    def __str__(self) -> str:
        return f"other engine: recorded by {self.language} {self.recorded}, this is {self.now}"


def engines_of(languages: Iterable[Language]) -> dict[Language, EngineRecord]:
    """The engines of this process. Opens them."""
    return {language: _record(language) for language in sorted(set(languages))}


def other_engines(recorded: Mapping[Language, EngineRecord]) -> tuple[OtherEngine, ...]:
    """Those that differ in anything but the machine, on each of which a guest runs the same."""
    found = []
    for language, then in recorded.items():
        now = _record(language)
        if then.model_copy(update={"machine": now.machine}) != now:
            found.append(OtherEngine(language, then, now))
    return tuple(found)


def _record(language: Language) -> EngineRecord:
    return EngineRecord(**asdict(sandbox.open_engine(language).identity))
