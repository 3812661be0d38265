"""Differences between what a recorded leg did and what another version does on it, by cause.

The causes stand in the order of their weight. A difference is put down to the first one; all are listed. What
follows from a request that the record has no answer to proves nothing, because nobody knows what would have
been answered: it is listed as such, and put down to the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from runner.flow.redact import Redactor
from runner.model.outcome import ActionRecord
from runner.replay.record import FlowRecord, comparable
from runner.shadow.run import ShadowRun, Unanswered
from sandbox.core.failure import FailureCode
from sandbox.core.json_text import cut, well_formed
from sandbox.port.journal import Journal
from triggers import get_trigger


class Cause(StrEnum):
    """Why a leg differs, by weight."""

    DECISION = "decision"
    DENIAL_TEXT = "denial_text"
    CLAIM = "claim"
    SCOPE = "scope"
    METADATA = "metadata"
    EFFECT = "effect"
    """Any other effect, such as a SAML attribute or the lifetime of a session."""
    SUSPENSION = "suspension"
    FAILURE = "failure"
    UNANSWERED = "unanswered"
    """A request, or a question about the user, that the record has no answer to."""
    LOG = "log"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of one leg.

    Attributes:
        path: in the outcome, such as `id_token_claims.plan`; for a request its method, host and path.
        recorded, now: both sides, shortened, without secrets.
        proof: false for what follows from a request that the record has no answer to.
    """

    cause: Cause
    path: str
    recorded: str
    now: str
    proof: bool = True


_EFFECTS: Final[Mapping[str, Cause]] = {
    "id_token_claims": Cause.CLAIM,
    "access_token_claims": Cause.CLAIM,
    "dropped_claims": Cause.CLAIM,
    "scopes_added": Cause.SCOPE,
    "scopes_removed": Cause.SCOPE,
    "target_scopes": Cause.SCOPE,
    "user_metadata": Cause.METADATA,
    "app_metadata": Cause.METADATA,
    "transaction_metadata": Cause.METADATA,
    "redirect": Cause.SUSPENSION,
    "prompt": Cause.SUSPENSION,
    "steps": Cause.SUSPENSION,
}
_ORDER: Final = {cause: number for number, cause in enumerate(Cause)}
_DEPTH: Final = 3
"""Names of a path; what is deeper is compared as a whole."""
_SHOWN_BYTES: Final = 160
MEMORY_RATIO: Final = 1.25
MEMORY_BYTES: Final = 2 * 1024 * 1024
"""A peak of memory differs when it is larger or smaller by both. It grows in pages and by halves."""
CALLS_RATIO: Final = 1.25
CALLS: Final = 10
"""The same for api calls, lines of the console and draws of chance; each request counts."""


def differences(
    run: ShadowRun, control: ShadowRun | None = None, *, discreet: bool = False
) -> tuple[Difference, ...]:
    """All differences of a run, by weight.

    Args:
        control: the recorded sources on the same record, for the memory, which no journal has.
        discreet: tell nothing that may be of the event: no values, and in paths only names that stand in a
            source as they are. Whoever may write a draft need not be somebody who may read events.
    """
    now = comparable(run.outcome)
    spell = _spelled(run) if discreet else _as_it_is
    found = [*_outcomes(run.record.outcome, now, spell), *_unanswered(run, spell), *_costs(run, control)]
    if discreet:
        found = [replace(item, recorded="", now="") for item in found]
    redactor = Redactor(action.every_secret for action in run.actions)
    found = [_shown(item, redactor) for item in _doubted(run, found)]
    return tuple(sorted(found, key=lambda item: (_ORDER[item.cause], item.path)))


def attributed(found: Sequence[Difference]) -> Difference | None:
    """The difference that a leg is put down to; None when it does not differ."""
    return min(found, key=lambda item: (not item.proof, _ORDER[item.cause]), default=None)


def incomparable(record: FlowRecord) -> str | None:
    """The reason why no version can be compared with what happened; None when one can. A timeout and a fault
    of ours are chance: the same version need not meet them again."""
    failures = [record.outcome.get("failure"), *(item.get("failure") for item in _actions(record.outcome))]
    codes = {item.get("code") for item in failures if isinstance(item, dict)}
    return next((str(code) for code in (FailureCode.TIMEOUT, FailureCode.INTERNAL) if code in codes), None)


def _actions(outcome: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    actions = outcome.get("actions")
    return [item for item in actions if isinstance(item, dict)] if isinstance(actions, list) else []


# --- what came out ---


_Spell = Callable[[str], str]
"""How a name is told that an Action chose."""


def _as_it_is(name: str) -> str:
    return name


def _spelled(run: ShadowRun) -> _Spell:
    pinned = run.record.actions
    sources = [item.source for item in run.actions] + [item.source for item in pinned]
    texts = [source.text for source in sources]
    texts += [
        module.text
        for source in sources
        if source.dependencies is not None
        for module in source.dependencies.modules
    ]
    return lambda name: name if any(name in text for text in texts) else "*"


def _outcomes(recorded: Mapping[str, Any], now: Mapping[str, Any], spell: _Spell) -> Iterator[Difference]:
    was, is_ = recorded.get("decision"), now["decision"]
    if was != is_:
        yield Difference(Cause.DECISION, "decision", str(was), str(is_))
    yield from _effects(recorded.get("effects") or {}, now["effects"], spell, same_decision=was == is_)
    waits = recorded.get("suspension") or {}
    yield from _by_path(Cause.SUSPENSION, "suspension", waits, now["suspension"] or {}, _as_it_is)
    yield from _failures(recorded, now)
    yield from _logs(recorded, now)


def _effects(
    recorded: Mapping[str, Any], now: Mapping[str, Any], spell: _Spell, *, same_decision: bool
) -> Iterator[Difference]:
    for name in sorted({*recorded, *now} - {"decision"}):
        was, is_ = recorded.get(name), now.get(name)
        if name == "denial":
            if same_decision:
                yield from _by_path(Cause.DENIAL_TEXT, name, was or {}, is_ or {}, _as_it_is)
        else:
            yield from _by_path(_EFFECTS.get(name, Cause.EFFECT), name, was, is_, spell)


def _failures(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    for was, is_ in _in_pairs(recorded, now):
        name = f"actions.{is_.get('name')}"
        before, after = was.get("failure") or {}, is_.get("failure") or {}
        if before.get("code") != after.get("code"):
            yield Difference(Cause.FAILURE, f"{name}.failure.code", _code(before), _code(after))
        elif before and _text(before) != _text(after):
            yield Difference(Cause.FAILURE, f"{name}.failure.message", _text(before), _text(after))


def _code(failure: Mapping[str, Any]) -> str:
    return f"{failure['code']}: {_text(failure)}" if failure.get("code") else "none"


def _text(failure: Mapping[str, Any]) -> str:
    """A message without what chance puts into it: the id of a fault of ours, the limit that was passed."""
    if failure.get("code") in (FailureCode.INTERNAL, FailureCode.TIMEOUT):
        return ""
    return " ".join(str(failure.get(name) or "") for name in ("error_name", "message")).strip()


def _logs(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    for was, is_ in _in_pairs(recorded, now):
        before, after = _lines(was), _lines(is_)
        if before != after:
            at = next(
                (n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]),
                min(len(before), len(after)),
            )
            yield Difference(Cause.LOG, f"actions.{is_.get('name')}.logs", _at(before, at), _at(after, at))


def _lines(action: Mapping[str, Any]) -> list[str]:
    logs = action.get("logs")
    return [f"{line.get('level')}: {line.get('text')}" for line in logs] if isinstance(logs, list) else []


def _at(lines: Sequence[str], at: int) -> str:
    return f"line {at + 1} {lines[at]}" if at < len(lines) else f"no line {at + 1}"


def _in_pairs(
    recorded: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    yield from zip(_actions(recorded), _actions(now), strict=False)


def _by_path(
    cause: Cause, path: str, recorded: Any, now: Any, spell: _Spell, depth: int = _DEPTH
) -> Iterator[Difference]:
    if depth > 0 and isinstance(recorded, dict) and isinstance(now, dict):
        for name in sorted({*recorded, *now}):
            was, is_ = recorded.get(name, _NOTHING), now.get(name, _NOTHING)
            yield from _by_path(cause, f"{path}.{spell(name)}", was, is_, spell, depth - 1)
    elif not _same(recorded, now):
        yield Difference(cause, path, _json(recorded), _json(now))


_NOTHING: Final = object()


def _same(recorded: Any, now: Any) -> bool:
    """As JSON values: true is not 1."""
    if recorded is _NOTHING or now is _NOTHING:
        return recorded is now
    if isinstance(recorded, bool) != isinstance(now, bool):
        return False
    if isinstance(recorded, dict) and isinstance(now, dict):
        return recorded.keys() == now.keys() and all(_same(recorded[name], now[name]) for name in recorded)
    if isinstance(recorded, list | tuple) and isinstance(now, list | tuple):
        return len(recorded) == len(now) and all(map(_same, recorded, now))
    return bool(recorded == now)


def _json(value: Any) -> str:
    return "absent" if value is _NOTHING else json.dumps(value, ensure_ascii=False)


# --- what it asked ---


def _unanswered(run: ShadowRun, spell: _Spell) -> Iterator[Difference]:
    for item in run.unanswered:
        yield Difference(Cause.UNANSWERED, _place(item.what, spell), "not asked", item.what)


def _place(what: str, spell: _Spell) -> str:
    """The request without what differs from user to user: its query, and parts of its path with digits."""
    method, _, url = what.partition(" ")
    if method.startswith("api."):
        return method
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return method
    method = method if method in _METHODS else "*"
    segments = ["*" if _PERSONAL.search(part) else spell(part) for part in parts.path.split("/")[:8]]
    return f"{method} {parts.scheme}://{spell(host)}{'/'.join(segments)}"


_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_PERSONAL: Final = re.compile(r"[^A-Za-z_.-]|.{33}")


def _doubted(run: ShadowRun, found: Sequence[Difference]) -> Iterator[Difference]:
    """Differences that follow from an unanswered request are no proof, unless the Action had already done
    something else than what is on record when it asked."""
    first = run.unanswered[0] if run.unanswered else None
    if first is None:
        yield from found
        return
    apart, denied = _before(run, first)
    for item in found:
        if item.cause is Cause.UNANSWERED or denied:
            yield item
        else:
            effect = item.cause in _EFFECTS.values() or item.cause is Cause.EFFECT
            yield replace(item, proof=apart and effect)


def _before(run: ShadowRun, first: Unanswered) -> tuple[bool, bool]:
    """Whether the commands before the unanswered request are others than the recorded ones, and whether one
    of them denies."""
    execution = next((item for item in run.executions if item.action == first.action), None)
    if execution is None:
        return False, False
    own = _commands(execution.journal)[: first.commands]
    recorded = _commands(execution.recorded or Journal())[: len(own)]
    surface = get_trigger(run.record.trigger).surface
    methods = [surface.get(path) for path, _ in own]
    return own != recorded, any(method is not None and method.denies for method in methods)


def _commands(journal: Journal) -> list[tuple[str, str]]:
    return [
        (entry.arguments["path"], entry.arguments["arguments"])
        for entry in journal.entries
        if entry.operation == "api" and entry.result["recorded"]
    ]


# --- what it took ---


def _costs(run: ShadowRun, control: ShadowRun | None) -> Iterator[Difference]:
    names = [action.name for action in run.outcome.actions]
    for execution in run.executions:
        if execution.recorded is None:
            continue
        name = f"actions.{names[execution.action]}"
        was, is_ = _calls(execution.recorded), _calls(execution.journal)
        if was["start"] != is_["start"]:
            yield Difference(Cause.COST, f"{name}.requests", str(was["start"]), str(is_["start"]))
        others = [sum(count for kind, count in item.items() if kind != "start") for item in (was, is_)]
        if _far(others[0], others[1], CALLS_RATIO, CALLS):
            yield Difference(Cause.COST, f"{name}.host_calls", str(others[0]), str(others[1]))
    if control is not None:
        for before, after in zip(control.outcome.actions, run.outcome.actions, strict=False):
            yield from _memory(before, after)


def _memory(before: ActionRecord, after: ActionRecord) -> Iterator[Difference]:
    if before.statistics is None or after.statistics is None:
        return
    was, is_ = before.statistics.peak_memory_bytes, after.statistics.peak_memory_bytes
    if _far(was, is_, MEMORY_RATIO, MEMORY_BYTES):
        yield Difference(Cause.COST, f"actions.{after.name}.memory_bytes", str(was), str(is_))


def _calls(journal: Journal) -> dict[str, int]:
    """Calls by kind, without those whose number hangs on how fast the machine was."""
    counts = dict.fromkeys(("api", "log", "random", "compute", "start"), 0)
    for entry in journal.entries:
        if entry.operation in counts:
            counts[entry.operation] += 1
    return counts


def _far(was: int, is_: int, ratio: float, least: int) -> bool:
    return abs(is_ - was) >= least and max(was, is_) >= ratio * min(was, is_)


def _shown(item: Difference, redactor: Redactor) -> Difference:
    return replace(
        item,
        path=_cut(redactor.text(item.path)),
        recorded=_cut(redactor.text(item.recorded)),
        now=_cut(redactor.text(item.now)),
    )


def _cut(text: str) -> str:
    shown, left_out = cut(well_formed(text), _SHOWN_BYTES)
    return shown + "…" if left_out else shown
