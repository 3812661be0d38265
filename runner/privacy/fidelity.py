"""The fidelity stamp: whether the redacted form of a record still does what the plain one did.

The plain record is run first: what does not replay itself says nothing about its redacted form. Then the
redacted one is run: when nothing differs, it is `exact`. Otherwise it is run leniently: a call whose data was
computed from something that was replaced (a part of a value, a hash) is answered when it is the recorded call
in every other way. When that comes to the same decision, so it is stamped. Otherwise the field that matters
is looked for, by showing one half after the other of what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from runner.model.errors import InputError
from runner.privacy.redaction import Touched, redacted
from runner.replay.record import FlowRecord, comparable
from runner.replay.replay import Replay

_MOST_RUNS: Final = 12
"""Replays that look for a field."""
_SHOWN: Final = 300

Replayer = Callable[[FlowRecord, bool], Replay]
"""Replays a record with the secrets of its Actions; leniently when told so."""


class Fidelity(BaseModel):
    """Whether a redacted record reproduces.

    Attributes:
        verdict: `exact`: it replays without a difference, to the outcome on record, in its pseudonyms.
            `same decision`: the same calls in the same order came to the same end, with other data in some
            of them. `differs`: it did not. `unknown`: the plain record itself cannot be replayed here.
        call: where the first difference was, in pseudonyms; "" for none.
        field: path in the event whose replacement made the difference; None when no single one did.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Literal["exact", "same decision", "differs", "unknown"]
    call: str = ""
    field: str | None = None

    @property
    def reproduces(self) -> bool:
        """The decision can be looked into with the redacted form."""
        return self.verdict in ("exact", "same decision")

    def __str__(self) -> str:
        if self.verdict != "differs":
            return self.verdict
        because = f"{self.field} was masked" if self.field else "of what was masked"
        return f"differs at {self.call} because {because}"


def fidelity(
    record: FlowRecord, key: bytes, replay: Replayer, in_time: Callable[[], bool] = lambda: True
) -> Fidelity:
    """Whether the redacted form of `record` under `key` reproduces.

    Args:
        record: the plain form.
        replay: see `Replayer`. It is asked at most `3 + 12` times.
        in_time: whether there is time for a further replay.
    """
    try:
        whole = replay(record, False).same
    except InputError as error:  # another secret since, or a record that this release does not read
        return Fidelity(verdict="unknown", call=error.code)
    if not whole:
        return Fidelity(verdict="unknown", call="the plain record does not replay")
    made, touched = redacted(record, key)
    first = _run(made, replay, lenient=False)
    if first is not None and first.same:
        return Fidelity(verdict="exact")
    if not in_time():
        return Fidelity(verdict="unknown", call="a replay takes too long")
    second = _run(made, replay, lenient=True)
    if second is not None and _same_decision(made, second):
        return Fidelity(verdict="same decision", call=_where(second) or _where(first))
    call = _where(second, fatal=True) or "the start of the leg"
    return Fidelity(verdict="differs", call=call, field=_culprit(record, key, touched, replay, in_time))


def _run(record: FlowRecord, replay: Replayer, *, lenient: bool) -> Replay | None:
    """None when the state itself fits the trigger no more."""
    try:
        return replay(record, lenient)
    except InputError as error:
        if error.code != "invalid_record":
            raise
        return None


def _same_decision(record: FlowRecord, found: Replay) -> bool:
    return not found.divergences and _decision(record.outcome) == _decision(comparable(found.outcome))


def _decision(outcome: dict[str, Any]) -> Any:
    """What of an outcome must be the same: how the flow and each Action ended, and what the user is asked."""
    effects = outcome.get("effects") or {}
    denial, suspension = effects.get("denial") or {}, outcome.get("suspension") or {}
    multifactor = effects.get("multifactor") or {}
    return (
        outcome.get("decision"),
        _code(outcome),
        outcome.get("failed_action"),
        effects.get("decision"),
        (denial.get("kind"), denial.get("action")),
        (suspension.get("kind"), suspension.get("action"), suspension.get("resumes")),
        [(step.get("kind"), len(step.get("factors", ()))) for step in effects.get("steps") or ()],
        multifactor.get("provider"),
        [
            (
                action.get("status"),
                _code(action),
                action.get("used_last_good"),
                [command.get("path") for command in action.get("commands", ())],
            )
            for action in outcome.get("actions", ())
        ],
    )


def _code(of: dict[str, Any]) -> Any:
    return (of.get("failure") or {}).get("code")


def _where(found: Replay | None, *, fatal: bool = False) -> str:
    """The first call that differed; the first part of the outcome when all calls were the same."""
    if found is None:
        return ""
    for item in (*found.divergences, *(() if fatal else found.departures)):
        return f"entry {item.divergence.position} of Action {item.action + 1}: {item.divergence.expected}"[
            :_SHOWN
        ]
    for difference in found.differences:
        return f"{difference.path} of the outcome"[:_SHOWN]
    return ""


def _culprit(
    record: FlowRecord, key: bytes, touched: Touched, replay: Replayer, in_time: Callable[[], bool]
) -> str | None:
    """The field whose replacement alone made the difference; None when no single one did, or time is up."""
    runs = iter(range(_MOST_RUNS))

    def reproduces(shown: Sequence[str]) -> bool:
        if next(runs, None) is None or not in_time():
            return False
        made, _ = redacted(record, key, frozenset(shown))
        found = _run(made, replay, lenient=True)
        return found is not None and _same_decision(made, found)

    left = list(touched.paths)
    while len(left) > 1:
        halves = _halves(left)
        left = next((half for half in halves if reproduces(half)), [])
    return left[0] if left and reproduces(left) else None


def _halves(paths: list[str]) -> Iterator[list[str]]:
    middle = len(paths) // 2
    yield paths[:middle]
    yield paths[middle:]
