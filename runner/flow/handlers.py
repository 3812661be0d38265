"""Handlers that an Action exports, and the trigger that they are for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import sandbox
from runner.model.action import Action
from runner.model.errors import FlowError
from sandbox.core.program import Language, Program
from triggers import Trigger, known_triggers


def camel_case(name: str) -> str:
    """`on_execute_post_login` as `onExecutePostLogin`."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def snake_case(name: str) -> str:
    """`onExecutePostLogin` as `on_execute_post_login`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def spelling(handler: str, language: Language) -> str:
    """A handler's name as an Action of `language` spells it."""
    return snake_case(handler) if language is Language.PYTHON else handler


def exported(program: Program) -> tuple[str, ...]:
    """Names of exported functions as the source spells them. Runs the top level without api and network.
    Raises `BuildError` when it fails."""
    wanted = [handler for trigger in known_triggers() for handler in trigger.handlers]
    return sandbox.exports(program, wanted=wanted)


def handlers_among(names: Sequence[str], language: Language) -> frozenset[str]:
    """The names in the trigger's spelling."""
    return frozenset(camel_case(name) if language is Language.PYTHON else name for name in names)


def infer_trigger(actions: Sequence[Action]) -> Trigger:
    """The one trigger whose execute handler every Action exports.

    Raises:
        BuildError: a source does not build, or its top level fails.
        FlowError: `no_trigger`: no handler is exported, or the Actions are for different triggers.
    """
    candidates = list(known_triggers())
    for action in actions:
        names = exported(sandbox.build(action.source))
        handlers = handlers_among(names, action.language)
        candidates_here = [item for item in known_triggers() if item.execute_handler in handlers]
        if not candidates_here:
            raise FlowError("no_trigger", missing_handler(action, names, None))
        candidates = [item for item in candidates if item in candidates_here]
    if len(candidates) == 1:
        return candidates[0]
    problem = (
        "the Actions are for different triggers"
        if not candidates
        else f"the Actions export handlers of several triggers: {', '.join(item.id for item in candidates)}"
    )
    raise FlowError("no_trigger", problem, next_step="Name the trigger with --trigger.")


def missing_handler(action: Action, names: Sequence[str], trigger: Trigger | None) -> str:
    """A sentence: which handler is missing, what is exported instead, and the nearest match."""
    wanted = [trigger.execute_handler] if trigger else [item.execute_handler for item in known_triggers()]
    spelled = [spelling(handler, action.language) for handler in wanted]
    exports = f"it exports {', '.join(names)}" if names else "it exports no function"
    subject = (
        f"{action.source.filename} does not export {spelled[0]}"
        if trigger
        else (f"{action.source.filename} exports no handler of any trigger")
    )
    return f"{subject}; {exports}{_suggestion(names, spelled)}"


def _suggestion(names: Sequence[str], wanted: Sequence[str]) -> str:
    """The pair that is closest, ignoring case and underscores."""
    best = (0.0, "", "")
    for name in names:
        for target in wanted:
            ratio = difflib.SequenceMatcher(None, _folded(name), _folded(target)).ratio()
            best = max(best, (ratio, name, target))
    ratio, name, target = best
    return f"; did you mean {target} instead of {name}?" if ratio > 0.7 else ""


def _folded(name: str) -> str:
    return name.replace("_", "").lower()
