"""One api call, as the member that was called sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triggers.engine.commands import RecordedCommand
from triggers.engine.services import Services
from triggers.values.refusals import ErrorName, Refusal, RefusalCode


@dataclass(slots=True)
class Call:
    """The call of a method, as its `run` gets it. `event` is not to be changed; `arguments` may be.

    Attributes:
        path: the member that was called, such as `access.deny`.
        prefix: what its refusals start with.
        event: the host's own, live changes included; never what the guest made of it.
        committed: commands of the Actions before this one.
        own: commands of this Action so far.
        redirect_state: the `state` of the redirect that was resumed last.
        continuing: whether the continue handler runs.
        memory: scratch space of this session, for running totals.
    """

    path: str
    prefix: str
    arguments: dict[str, Any]
    event: Mapping[str, Any]
    committed: Sequence[RecordedCommand]
    own: Sequence[RecordedCommand]
    redirect_state: str | None
    services: Services
    continuing: bool
    memory: dict[str, Any]

    def earlier(self, *paths: str) -> Iterator[RecordedCommand]:
        """Commands of the flow so far, this Action's included, that were made through `paths`."""
        for command in (*self.committed, *self.own):
            if command.path in paths:
                yield command

    def refusal(
        self,
        rule: str,
        *,
        name: ErrorName = "Error",
        code: RefusalCode = "invalid_argument",
        aborts: bool = False,
    ) -> Refusal:
        """A refusal whose text starts with the method's name."""
        return Refusal(f"{self.prefix} {rule}", name=name, code=code, aborts=aborts)
