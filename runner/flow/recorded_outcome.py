"""The part of an outcome that goes on record, where lists and streams show it to people: no secrets, nothing
that resumes the flow, and not more than a record may hold. The outcome itself goes to the platform, which
must apply its effects as they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from runner.flow import outcome_size
from runner.flow.leg import LegEnd
from runner.flow.redact import Form, Redactor
from runner.model.caps import MAX_RECORDED_BYTES
from runner.model.outcome import ActionRecord, FlowOutcome
from sandbox.core.caps import KIB, Limits
from sandbox.core.json_text import utf8_length
from triggers import Effects

_SENDS_AWAY: Final = "redirect.sendUserTo"
"""The command whose argument is a URL, with whatever the Action put into its query."""
_SPARE: Final = 64 * KIB
"""Bytes by which effects may grow when names stand for secrets in them."""
_ROOM_FOR_FRAMES: Final = 4 * KIB
"""Bytes for the frames of some dozens of lines, so that a full log of plain text is on record as it is."""
_LEFT_OUT: Final = "What this leg asked for is not on record: it is too large."


class RecordRedactor(Redactor):
    """Takes out the tokens that Actions made for external sites as well: who has one can send a user back."""

    def __init__(
        self, secrets: Iterable[Mapping[str, str]], issued: Sequence[str], until: float | None = None
    ) -> None:
        known = list(secrets)
        self._tokens = len(known)
        self.names_tokens: Final = bool(issued)
        super().__init__([*known, {str(number): token for number, token in enumerate(issued)}], until=until)

    def _mark(self, form: Form, skipped: int) -> str:
        return "[session token]" if form.index == self._tokens else super()._mark(form, skipped)


def on_record(
    outcome: FlowOutcome, end: LegEnd, redactor: RecordRedactor, limits: Sequence[Limits]
) -> FlowOutcome | None:
    """The part of `outcome`; None when it is all of it.

    Args:
        end: the leg that it is of.
        limits: of each Action.
    """
    kept = _redacted(_single_use(outcome), redactor)
    actions = tuple(map(_fitting, kept.actions, limits))
    if any(new is not old for new, old in zip(actions, kept.actions, strict=True)):
        kept = kept.model_copy(update={"actions": actions})
    kept = _small(kept, end)
    return None if kept is outcome else kept


def _single_use(outcome: FlowOutcome) -> FlowOutcome:
    """Without handle, state and URL of a suspension."""
    sends = any(command.path == _SENDS_AWAY for action in outcome.actions for command in action.commands)
    if outcome.suspension is None and outcome.effects.redirect is None and not sends:
        return outcome
    changed: dict[str, Any] = {"actions": tuple(map(_without_urls, outcome.actions))}
    if outcome.suspension is not None:
        hidden = {"handle": "", "state": "", "url": None}
        changed["suspension"] = outcome.suspension.model_copy(update=hidden)
    if outcome.effects.redirect is not None:
        redirect = outcome.effects.redirect.model_copy(update={"url": "", "state": ""})
        changed["effects"] = outcome.effects.model_copy(update={"redirect": redirect})
    return outcome.model_copy(update=changed)


def _without_urls(action: ActionRecord) -> ActionRecord:
    commands = tuple(
        command.model_copy(update={"arguments": ()}) if command.path == _SENDS_AWAY else command
        for command in action.commands
    )
    return action.model_copy(update={"commands": commands})


def _redacted(outcome: FlowOutcome, redactor: RecordRedactor) -> FlowOutcome:
    if redactor.idle:
        return outcome
    # All but the effects is without secrets already.
    parts = {"effects", "actions", "failure", "warnings"} if redactor.names_tokens else {"effects"}
    before = outcome.model_dump(mode="json", include=parts)
    after = redactor.value(before, lambda: _SPARE)
    if after is before:
        return outcome
    data = outcome.model_dump(mode="json", by_alias=True) | after
    try:
        return FlowOutcome.model_validate(data)
    except ValidationError:  # a secret that is a word of ours, such as the name of a factor
        emptied = outcome.model_copy(update={"effects": _no_effects(outcome)})
        actions = tuple(_without_arguments(action) for action in emptied.actions)
        return emptied.model_copy(update={"actions": actions})


def _small(outcome: FlowOutcome, end: LegEnd) -> FlowOutcome:
    """Without arguments, and at last without effects, when there is no room for them."""
    if outcome_size.passes(outcome, end, MAX_RECORDED_BYTES):
        return outcome
    bare = tuple(_without_arguments(action) for action in outcome.actions)
    outcome = outcome.model_copy(update={"actions": bare})
    if utf8_length(outcome.to_json()) <= MAX_RECORDED_BYTES:
        return outcome
    return outcome.model_copy(update={"effects": _no_effects(outcome)})


def _no_effects(outcome: FlowOutcome) -> Effects:
    return Effects(decision=outcome.effects.decision, denial=None, warnings=(_LEFT_OUT,))


def _without_arguments(action: ActionRecord) -> ActionRecord:
    commands = tuple(command.model_copy(update={"arguments": ()}) for command in action.commands)
    return action.model_copy(update={"commands": commands})


def _fitting(action: ActionRecord, limits: Limits) -> ActionRecord:
    """With a log that takes not much more than `log_bytes` of JSON: escapes make six bytes of one character,
    and each line has a frame of its own."""
    lines, room = action.logs, limits.log_bytes + _ROOM_FOR_FRAMES
    if sum(6 * len(line.text) + 96 for line in lines) <= room:
        return action
    fit = 0
    for line in lines:
        size = _json_size(line.text) + 96
        if size > room:
            break
        room -= size
        fit += 1
    if fit == len(lines):
        return action
    last, *rest = lines[fit:]
    text, lost = _beginning(last.text, room - 2 * 96)
    lost += sum(utf8_length(line.text) for line in rest)
    noted = last.model_copy(update={"text": f"{text}… {lost} bytes more", "cut_bytes": last.cut_bytes + lost})
    facts = {"logs": (*lines[:fit], noted), "logs_cut_bytes": action.logs_cut_bytes + lost}
    return action.model_copy(update=facts)


def _beginning(text: str, room: int) -> tuple[str, int]:
    """As much of `text` as takes `room` bytes of JSON, and the UTF-8 bytes of the rest."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _json_size(text[:middle]) <= room else (low, middle - 1)
    return text[:low], utf8_length(text[low:])


def _json_size(text: str) -> int:
    return utf8_length(json.dumps(text, ensure_ascii=False)) - 2
