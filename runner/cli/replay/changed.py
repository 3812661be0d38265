"""`actionbox replay --with`: a changed source on what was recorded."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, Literal

from rich.console import Console

from runner.cli.inputs import Secrets
from runner.cli.render import show_outcome
from runner.cli.replay.show import logged_json, show_notes, show_sides
from runner.cli.terminal import line
from runner.flow.programs import ProgramCache
from runner.model.action import Action
from runner.model.errors import InputError
from runner.project.action_files import load_action
from runner.replay.logpoints.taps import Taps
from runner.replay.record import FlowRecord, comparable
from runner.replay.recorded import Recorded
from runner.replay.secrets import secrets_of
from runner.replay.whole import FirstDifference
from runner.shadow.run import ShadowRun, replaced, run_on
from runner.testing.cases.match import Difference, differences
from sandbox.port.journal import Entry, Journal
from sandbox.port.replay import described

_COMPARED: Final = frozenset({"api", "log", "start"})
"""Host calls that show. Clock, randomness and waits may be read otherwise by a source that does the same."""
_NOTHING: Final = "nothing more"


@dataclass(frozen=True, slots=True)
class Draft:
    """A source to run in place of an Action. `name`: of that Action; None to find it by the file's name."""

    path: Path
    name: str | None


@dataclass(frozen=True, slots=True)
class DraftRun:
    """What a draft did on one leg.

    Attributes:
        index: of the Action whose place it took.
        unanswered: what it asked and the record does not know.
        calls: the first host call of each Action that differed.
        differences: between the outcomes.
    """

    record: FlowRecord
    index: int
    run: ShadowRun
    unanswered: tuple[str, ...]
    calls: tuple[FirstDifference, ...]
    differences: tuple[Difference, ...]
    secrets: tuple[Mapping[str, str], ...]
    placeholders: tuple[tuple[str, str], ...]

    @property
    def result(self) -> Literal["same", "differs", "asked"]:
        if self.unanswered:
            return "asked"
        return "differs" if self.calls or self.differences else "same"


def run_draft(recorded: Recorded, draft: Draft, secrets: Secrets, taps: Taps | None) -> list[DraftRun]:
    """Run the draft on every leg. `taps`: told of its lines.

    Raises:
        InputError: `no_such_action`, `different_language`, or as `run_on`.
        ActionError: as `load_action`.
    """
    programs = ProgramCache(taps.build if taps is not None else None)
    return [_run(leg, draft, secrets, programs, taps) for leg in recorded.legs]


def _run(
    record: FlowRecord, draft: Draft, secrets: Secrets, programs: ProgramCache, taps: Taps | None
) -> DraftRun:
    given = secrets_of(record, secrets.of_pinned, without_secrets=True)
    by_name = {pinned.name: values for pinned, values in zip(record.actions, given.values, strict=True)}
    actions = [pinned.action(by_name[pinned.name]) for pinned in record.actions]
    index = place_of(record, draft)
    candidate = candidate_of(actions[index], draft, secrets)
    changed = replaced(actions, actions[index].name, candidate)
    if taps is not None:
        taps.prepare([action.source for action in changed])
    run = run_on(record, changed, programs, secrets=lambda pinned: by_name[pinned.name])
    if taps is not None:
        run = replace(run, outcome=taps.mended(run.outcome))
    return DraftRun(
        record=record,
        index=index,
        run=run,
        unanswered=tuple(f"Action {item.action + 1}: {item.what}" for item in run.unanswered),
        calls=tuple(_first_calls(run, taps)),
        differences=tuple(_differences(run, index)),
        secrets=tuple(action.every_secret for action in changed),
        placeholders=given.placeholders,
    )


def place_of(record: FlowRecord, draft: Draft) -> int:
    """The Action of the record that the draft is to replace. Raises `InputError` (`no_such_action`)."""
    """The Action of the record that the draft is to replace. Raises `InputError` (`no_such_action`)."""
    names = [action.name for action in record.actions]
    wanted = [draft.name] if draft.name is not None else [draft.path.stem, draft.path.name]
    files = [action.source.filename for action in record.actions]
    for name in wanted:
        for known in (names, files):
            if name in known:
                return known.index(name)
    if draft.name is None and len(names) == 1:
        return 0
    shown = ", ".join(repr(name) for name in names)
    raise InputError(
        "no_such_action",
        f"no Action of the record is called {wanted[0]!r}; there are {shown}",
        next_step="Say with --action which one the file is to replace.",
    )


def candidate_of(old: Action, draft: Draft, secrets: Secrets) -> Action:
    """The draft with the secrets of the Action it replaces, and with its packages where it declares none."""
    own = {**secrets.of(draft.path.name), **secrets.of(draft.path.stem)}
    loaded = load_action(draft.path, name=old.name)
    if loaded.language is not old.language:
        raise InputError(
            "different_language",
            f"{draft.path} is {loaded.language}, and Action {old.name!r} is {old.language}",
            next_step="Say with --action which one the file is to replace.",
        )
    source = loaded.source
    if source.dependencies is None and old.source.dependencies is not None:
        source = replace(source, dependencies=old.source.dependencies)
    return replace(
        loaded, source=source, secrets={**own, **old.secrets}, module_secrets=dict(old.module_secrets)
    )


def _first_calls(run: ShadowRun, taps: Taps | None) -> Iterator[FirstDifference]:
    for execution in run.executions:
        recorded = execution.recorded or Journal()
        pairs = zip_longest(_shown(recorded, None), _shown(execution.journal, taps))
        for then, now in pairs:
            if then is None or now is None or not _same(then, now):
                name = run.record.actions[execution.action].name
                position = (then or now).sequence
                where = f"Action {execution.action + 1} ({name}), call {position}"
                yield FirstDifference(run.record.number, where, _text(then), _text(now))
                break


def _shown(journal: Journal, taps: Taps | None) -> list[Entry]:
    """The calls that show, without those of `--log`."""
    found = [entry for entry in journal.entries if entry.operation in _COMPARED]
    if taps is None:
        return found
    return [e for e in found if e.operation != "log" or not taps.is_own(e.arguments["text"])]


def _same(one: Entry, other: Entry) -> bool:
    return one.operation == other.operation and one.arguments == other.arguments


def _text(entry: Entry | None) -> str:
    return _NOTHING if entry is None else described(entry.operation, entry.arguments)


def _differences(run: ShadowRun, changed: int) -> list[Difference]:
    then, now = _plain(run.record.outcome, changed), _plain(comparable(run.outcome), changed)
    if not differences({"$exactly": then}, now):
        return []
    return differences(then, now) or differences({"$exactly": then}, now)


def _plain(outcome: Mapping[str, Any], changed: int) -> dict[str, Any]:
    """An outcome without what another file has otherwise: its digest, and places in it."""
    actions = [dict(action) for action in outcome["actions"]]
    actions[changed]["digest"] = ""
    actions[changed]["failure"] = _without_places(actions[changed]["failure"])
    failure = outcome["failure"]
    if outcome["failed_action"] == changed:
        failure = _without_places(failure)
    return {**outcome, "actions": actions, "failure": failure}


def _without_places(failure: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if failure is None else {**failure, "place": None, "stack": []}


def show_draft(runs: list[DraftRun], console: Console) -> None:
    """Print each leg's outcome and what differs."""
    for leg in runs:
        show_outcome(leg.run.outcome, console, leg.secrets)
        console.print()
    for leg in runs:
        place = f"leg {leg.record.number}, " if len(runs) > 1 else ""
        show_notes(leg.placeholders, (), console, same=leg.result == "same")
        for text in leg.unanswered:
            asked = ("Asked what the record does not know", "bold yellow")
            console.print(line(asked, f": {place}{text}"))
        if leg.result != "same" and (leg.calls or leg.differences):
            console.print(line(("Differs", "bold yellow")))
        for call in leg.calls:
            show_sides(f"{place}{call.where}", call.recorded, call.now, console)
        for difference in leg.differences:
            show_sides(f"{place}{difference.path}", difference.expected, difference.found, console)
    if is_same(runs):
        console.print(line(("Same", "bold green"), ": the same calls and the same outcome as recorded"))


def is_same(runs: list[DraftRun]) -> bool:
    """Nothing differs in any leg."""
    return all(leg.result == "same" for leg in runs)


def print_draft_json(runs: list[DraftRun], taps: Taps | None) -> None:
    """The same as JSON on standard output. `result`: `same`, `differs` or `asked`."""
    results = [leg.result for leg in runs]
    facts = {
        "result": next((item for item in ("asked", "differs") if item in results), "same"),
        "logged": logged_json(taps),
        "legs": [
            {
                "leg": leg.record.number,
                "result": leg.result,
                "unanswered": list(leg.unanswered),
                "calls": [
                    {"where": item.where, "recorded": item.recorded, "now": item.now} for item in leg.calls
                ],
                "differences": [
                    {"path": item.path, "recorded": item.expected, "now": item.found}
                    for item in leg.differences
                ],
                "outcome": leg.run.outcome.to_dict(),
            }
            for leg in runs
        ],
    }
    sys.stdout.write(json.dumps(facts) + "\n")
