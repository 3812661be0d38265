"""The redacted form of a record: what people see of it (docs/safe-change/privacy.md)."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from runner.model.outcome import FlowOutcome
from runner.privacy import vocabulary
from runner.privacy.fields import DENIED, Place, event_shape, mapped
from runner.privacy.hosted import masked
from runner.privacy.journals import Journals
from runner.privacy.knowledge import Knowledge
from runner.privacy.pseudonyms import Keyed
from runner.privacy.shapes import Times
from runner.privacy.texts import REMOVED, Masker
from runner.replay.marks import Marker
from runner.replay.record import FlowRecord, LegContext, RecordedExecution, hidden_journal, stamped
from triggers.engine.commands import Suspension
from triggers.events.model.classes import FieldClass

RULES: Final = "actionbox.redaction/1"
_MOST_PATHS: Final = 200


class Touched(BaseModel):
    """What a redaction replaced.

    Attributes:
        rules: the version of the rules.
        classes: how many values were replaced, by their class; `denied` for those without one.
        paths: the first of their places in the event, with the class.
        more: places that `paths` has no room for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: str = RULES
    classes: dict[str, int] = Field(default_factory=dict)
    paths: dict[str, str] = Field(default_factory=dict)
    more: int = 0


def redacted(
    record: FlowRecord, key: bytes, shown: frozenset[str] = frozenset()
) -> tuple[FlowRecord, Touched]:
    """The redacted form of `record`, with pseudonyms that depend on `key`.

    Args:
        key: of the tenant, at least 16 bytes; without it nobody can tell which value a pseudonym stands for.
        shown: paths in the event, as `Touched` names them, that stay as they are. Only for finding out which
            field matters: such a record must not be given to anybody.

    Raises:
        LookupError: there is no such trigger.
        ValueError: the key is too short.
    """
    return _Redaction(_without_secrets(record), key, shown).made()


def _without_secrets(record: FlowRecord) -> FlowRecord:
    """The record with marks in place of the secrets that it holds, if any."""
    if record.secrets is None:
        return record
    hide = Marker(record.tag, record.secrets)
    data = record.model_dump(mode="json", by_alias=True, include={"state", "executions", "outcome"})
    return record.model_copy(
        update={
            "secrets": None,
            "state": hide.value(data["state"]),
            "executions": tuple(
                RecordedExecution(**{**item, "journal": hidden_journal(hide, item["journal"])})
                for item in data["executions"]
            ),
            "outcome": hide.value(data["outcome"]),
        }
    )


class _Redaction:
    def __init__(self, record: FlowRecord, key: bytes, shown: frozenset[str]) -> None:
        keyed = Keyed(key)
        self._record, self._shown = record, shown
        self._event = event_shape(record.trigger)
        knowledge = Knowledge(record, keyed, shown)
        times = Times(keyed, _now(record), record.execution_id)
        self._times = times
        self._masker = Masker(keyed, knowledge.known, times, record.tag, knowledge.credentials)
        self._counts: Counter[str] = Counter()
        self._paths: dict[str, str] = {}
        self._more: set[str] = set()

    def made(self) -> tuple[FlowRecord, Touched]:
        record, masker = self._record, self._masker
        journals = Journals(masker, self._event, self._visit, masker.text)
        state = self._state(record.state)
        outcome = masked(masker, FlowOutcome, record.outcome)
        made = record.model_copy(
            update={
                "actions": tuple(
                    item.model_copy(update={"configuration": masker.value(item.configuration)})
                    for item in record.actions
                ),
                "secrets": None,
                "state": state,
                "redirect_state": masker.text(record.redirect_state),
                "executions": tuple(
                    RecordedExecution(
                        **{**dict(item), "journal": journals.journal(item.journal)},
                    )
                    for item in record.executions
                ),
                "outcome": outcome,
                "context": self._context(record.context),
            }
        )
        touched = Touched(classes=dict(self._counts), paths=self._paths, more=len(self._more))
        return stamped(made), touched

    def _context(self, context: LegContext | None) -> LegContext | None:
        key = context.idempotency_key if context is not None else None
        if context is None or key is None:
            return context
        return context.model_copy(update={"idempotency_key": self._masker.text(key)})

    def _state(self, state: Any) -> Any:
        if not isinstance(state, dict):
            return self._masker.value(state)
        named = vocabulary.argument_names(self._record.trigger)
        made: dict[str, Any] = {}
        for key, value in state.items():
            match key:
                case "trigger":
                    made[key] = value
                case "event" | "stored":
                    made[key] = mapped(self._event, None, value, "", self._visit, self._masker.text)
                case "commands" if isinstance(value, list):
                    made[key] = [self._command(item, named) for item in value]
                case "suspension":
                    made[key] = masked(self._masker, Suspension, value, named)
                case _:
                    made[key] = self._masker.value(value)
        return made

    def _command(self, command: Any, named: frozenset[str]) -> Any:
        if not isinstance(command, dict):
            return self._masker.value(command)
        return {
            key: value if key in ("action", "path") else self._masker.value(value, named)
            for key, value in command.items()
        }

    def _visit(self, place: Place, value: Any) -> Any:
        """A value of the event as it is shown."""
        made = value if place.path in self._shown else self._replaced(place, value)
        if made != value:
            self._counts[str(place.kind)] += 1
            if place.path in self._paths or len(self._paths) < _MOST_PATHS:
                self._paths[place.path] = str(place.kind)
            else:
                self._more.add(place.path)
        return made

    def _replaced(self, place: Place, value: Any) -> Any:
        match place.kind:
            case FieldClass.CREDENTIAL:
                return (self._masker.signed(value) if isinstance(value, str) else None) or REMOVED
            case "listed":
                return value
            case "time":
                return (
                    self._times.iso(value) or self._masker.value(value) if isinstance(value, str) else value
                )
            case FieldClass.PLAIN:
                return self._masker.plain(value) if isinstance(value, str) else value
        return self._masker.value(value)


def _now(record: FlowRecord) -> int:
    """What the record's clock read first, in milliseconds since 1970; when nothing read it, no distance from
    it matters, and the begin of 2026 serves as well."""
    for item in record.executions:
        entries = item.journal.get("entries") if isinstance(item.journal, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("operation") == "wall":
                found = entry.get("result")
                if isinstance(found, dict) and isinstance(found.get("ms"), int):
                    return int(found["ms"])
        for reading in item.clock:
            return int(reading * 1000)
    return 1_767_225_600_000


__all__ = ["DENIED", "RULES", "Touched", "redacted"]
