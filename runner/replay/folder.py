"""Replaying a folder of records: every file gets a result, whatever is in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from runner.flow.programs import ProgramCache
from runner.model.errors import InputError, RunnerError
from runner.model.secret_names import SecretValues
from runner.replay.recorded import Recorded, read_recorded
from runner.replay.whole import WholeReplay, replay_all
from runner.suspension.stores import PinnedAction
from sandbox.core.failure import BuildError
from triggers import EventError, UnknownTriggerError

_UNUSABLE: Final = (RunnerError, BuildError, EventError, UnknownTriggerError, OSError)


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result of one file.

    Attributes:
        result: `unusable` when the file cannot be replayed; `problem` says why.
    """

    path: Path
    result: Literal["same", "different", "unusable"]
    seconds: float
    replayed: WholeReplay | None = None
    problem: Exception | None = None

    @property
    def note(self) -> str:
        """In one line: why it cannot be used, or where it differs."""
        if self.problem is not None:
            return str(self.problem).partition("\n")[0]
        first = None if self.replayed is None else self.replayed.first()
        if first is None:
            return ""
        return f"leg {first.leg}, {first.where}: recorded {first.recorded}, now {first.now}"


def record_files(folder: Path) -> list[Path]:
    """The JSON files in a folder and below, in order of name.

    Raises:
        InputError: `no_records`.
    """
    found = sorted(path for path in folder.rglob("*.json") if path.is_file())
    if not found:
        raise InputError(
            "no_records",
            f"there is no record (*.json) in {folder}",
            next_step="`actionbox replay EXECUTION --save FILE` keeps one; `run --record FILE` writes one.",
            source=str(folder),
        )
    return found


def replay_files(
    files: Sequence[Path],
    secrets: Callable[[PinnedAction], SecretValues],
    prepare: Callable[[Recorded], None],
) -> Iterator[FileResult]:
    """Replay one file after another; placeholders stand for secrets that `secrets` does not give. `prepare`:
    is told of each record before it runs."""
    programs = ProgramCache()
    for path in files:
        began = time.monotonic()
        try:
            recorded = read_recorded(path)
            prepare(recorded)
            replayed = replay_all(recorded, secrets, programs, without_secrets=True)
        except _UNUSABLE as error:
            yield FileResult(path, "unusable", time.monotonic() - began, problem=error)
        else:
            result: Literal["same", "different"] = "same" if replayed.same else "different"
            yield FileResult(path, result, time.monotonic() - began, replayed)
