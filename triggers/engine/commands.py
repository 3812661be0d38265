"""Commands that Actions recorded in a flow, and the suspension that it waits in."""

from __future__ import annotations

from typing import Any, Literal

from triggers.engine.effects import Frozen, Prompt, Redirect, Step


class RecordedCommand(Frozen):
    """One api call that an Action made and committed.

    Attributes:
        action: index of the Action in the flow.
        path: the member, such as `access.deny`; the engine's own entries start with `engine.`.
        arguments: by parameter name, as validated; what was left out is absent.
    """

    action: int
    path: str
    arguments: dict[str, Any]


class Suspension(Frozen):
    """A flow that waits, and for what.

    Attributes:
        kind: what the user has to do first.
        action: index of the Action that asked.
        resume_action: index of the Action to go on with; past the last one, the flow is complete.
        resume_handler: the handler to call there.
        redirect, prompt, steps: what the platform has to carry out; exactly one is filled.
    """

    kind: Literal["redirect", "prompt", "challenge", "enroll"]
    action: int
    resume_action: int
    resume_handler: str
    redirect: Redirect | None = None
    prompt: Prompt | None = None
    steps: tuple[Step, ...] = ()

    @property
    def flushes(self) -> bool:
        """Pending metadata is written before the user leaves (reference/behaviour.md section 7)."""
        return self.kind in ("redirect", "prompt")
