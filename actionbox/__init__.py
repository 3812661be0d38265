"""actionbox for platforms and for tests of Actions.

    from actionbox import Runner, load_action

    runner = Runner()
    outcome = runner.run("post-login", event, [load_action("weekday.js")])

docs/embedding.md is the guide. Everything here is at home in `runner`. A name is loaded when it is used, so
importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner import (
        Action,
        ActionBox,
        ActionError,
        ActionRecord,
        Decision,
        EventError,
        FailPolicy,
        Failure,
        FailureCode,
        FileStore,
        FlowError,
        FlowOutcome,
        InputError,
        Language,
        Limits,
        MemoryStore,
        PinnedAction,
        ProgramCache,
        ResumeError,
        Runner,
        RunnerError,
        Settings,
        Source,
        Status,
        SuspensionRecord,
        SuspensionStore,
        UnknownTriggerError,
        load_action,
        load_source,
        public_egress,
    )
    from runner.client import Accepted, RuntimeClient, ServiceError

__all__ = [
    "Accepted",
    "Action",
    "ActionBox",
    "ActionError",
    "ActionRecord",
    "Decision",
    "EventError",
    "FailPolicy",
    "Failure",
    "FailureCode",
    "FileStore",
    "FlowError",
    "FlowOutcome",
    "InputError",
    "Language",
    "Limits",
    "MemoryStore",
    "PinnedAction",
    "ProgramCache",
    "ResumeError",
    "Runner",
    "RunnerError",
    "RuntimeClient",
    "ServiceError",
    "Settings",
    "Source",
    "Status",
    "SuspensionRecord",
    "SuspensionStore",
    "UnknownTriggerError",
    "load_action",
    "load_source",
    "public_egress",
]

_OF_THE_CLIENT = ("Accepted", "RuntimeClient", "ServiceError")


def __getattr__(name: str) -> Any:
    if name in _OF_THE_CLIENT:
        from runner import client

        return getattr(client, name)
    if name in __all__:
        import runner

        return getattr(runner, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
