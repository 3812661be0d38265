"""actionbox for platforms: load Actions, run a trigger on an event, apply the outcome.

    from runner import Runner, load_action

    runner = Runner()
    outcome = runner.run("post-login", event, [load_action("weekday.js")])

docs/embedding.md is the guide. Names are loaded when used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.flow.programs import ProgramCache
    from runner.flow.runner import Runner, public_egress
    from runner.model.action import Action, FailPolicy
    from runner.model.errors import ActionError, FlowError, InputError, ResumeError, RunnerError
    from runner.model.outcome import ActionRecord, Decision, FlowOutcome, Status, SuspensionRecord
    from runner.model.settings import Settings
    from runner.project.action_files import load_action, load_source
    from runner.suspension.stores import FileStore, MemoryStore, PinnedAction, SuspensionStore
    from runner.testing.box import ActionBox
    from sandbox.core.caps import Limits
    from sandbox.core.failure import Failure, FailureCode
    from sandbox.core.program import Language, Source
    from triggers import EventError, UnknownTriggerError

_HOMES = {
    "runner.model.action": ("Action", "FailPolicy"),
    "runner.model.errors": ("ActionError", "FlowError", "InputError", "ResumeError", "RunnerError"),
    "runner.flow.runner": ("Runner", "public_egress"),
    "runner.model.settings": ("Settings",),
    "runner.model.outcome": ("ActionRecord", "Decision", "FlowOutcome", "Status", "SuspensionRecord"),
    "runner.flow.programs": ("ProgramCache",),
    "runner.project.action_files": ("load_action", "load_source"),
    "runner.suspension.stores": ("FileStore", "MemoryStore", "PinnedAction", "SuspensionStore"),
    "runner.testing.box": ("ActionBox",),
    "sandbox.core.caps": ("Limits",),
    "sandbox.core.failure": ("Failure", "FailureCode"),
    "sandbox.core.program": ("Language", "Source"),
    "triggers": ("EventError", "UnknownTriggerError"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022 - in the order of a first reading
    "Runner",
    "Settings",
    "Action",
    "load_action",
    "load_source",
    "FailPolicy",
    "FlowOutcome",
    "Decision",
    "ActionRecord",
    "Status",
    "SuspensionRecord",
    "Failure",
    "FailureCode",
    "Limits",
    "Language",
    "Source",
    "MemoryStore",
    "FileStore",
    "SuspensionStore",
    "PinnedAction",
    "ProgramCache",
    "public_egress",
    "ActionBox",
    "RunnerError",
    "ActionError",
    "FlowError",
    "InputError",
    "ResumeError",
    "EventError",
    "UnknownTriggerError",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
