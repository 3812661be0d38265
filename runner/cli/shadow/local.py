"""Shadow runs here, on a folder of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runner.cli.author.images import open_engines
from runner.cli.inputs import Secrets
from runner.cli.replay.changed import Draft, candidate_of, place_of
from runner.cli.shadow.show import progress
from runner.cli.terminal import error_console, line
from runner.flow.programs import ProgramCache
from runner.model.action import Action
from runner.model.errors import InputError
from runner.replay.folder import record_files
from runner.replay.record import FlowRecord
from runner.replay.recorded import read_recorded
from runner.replay.secrets import secrets_of
from runner.shadow.leg import SELF_CHECKS, LegShadow, shadow_leg
from runner.shadow.report import ShadowReport, Tally
from runner.shadow.rules import IgnoreRule

_UNREADABLE: Final = "unreadable"


def shadow_folder(
    folder: Path, draft: Draft, secrets: Secrets, rules: Sequence[IgnoreRule]
) -> tuple[ShadowReport, int]:
    """The report, and how many files could not be used.

    Raises:
        InputError: `no_records`; the draft fits none of them.
    """
    files = record_files(folder)
    tally, programs, unusable = Tally(rules, datetime.now(UTC).date()), ProgramCache(), 0
    console = error_console()
    with progress(console, len(files)) as told:
        for number, path in enumerate(files):
            try:
                recorded = read_recorded(path)
                for leg in recorded.legs:
                    tally.count(leg.execution_id, _leg(leg, draft, secrets, programs, number))
            except InputError as error:
                unusable += 1
                console.print(line((f"{path}: ", "yellow"), error.message))
            told(number + 1, tally.different)
    if tally.compared == 0 and unusable == len(files):
        raise InputError("no_records", f"none of the {len(files)} files in {folder} can be run on")
    return tally.report(), unusable


def _leg(
    record: FlowRecord, draft: Draft, secrets: Secrets, programs: ProgramCache, number: int
) -> LegShadow:
    given = secrets_of(record, secrets.of_pinned, without_secrets=True)
    control = [pinned.action(values) for pinned, values in zip(record.actions, given.values, strict=True)]
    at = place_of(record, draft)
    candidate = candidate_of(control[at], draft, secrets)
    actions: list[Action] = [*control]
    actions[at] = replace(control[at], source=candidate.source, secrets=candidate.secrets)
    open_engines(action.source.language for action in actions)
    values = {id(pinned): item for pinned, item in zip(record.actions, given.values, strict=True)}
    check = number % SELF_CHECKS == 0 and not given.placeholders
    return shadow_leg(
        record,
        actions,
        programs,
        secrets=lambda pinned: values[id(pinned)],
        control=control if check else None,
    )
