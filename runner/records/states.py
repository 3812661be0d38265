"""What an execution says of its record: why there is one, or why not, and by which policy. It is written in
the transaction that puts the execution on record, so it is known even where the record was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, get_args

from runner.records.policy import OFF, Reason

KEPT: Final = frozenset(get_args(Reason))
WAITS: Final = "waits"
"""The flow is suspended, and how it ends will say."""
NO: Final = "no"
LARGE: Final = "large"
WORKER: Final = "worker"
"""It was to be kept and is not: too large, or its worker gave no record."""


@dataclass(frozen=True, slots=True)
class RecordState:
    """Attributes:
    state: one of the words of this module, or a reason.
    policy: as text.
    """

    state: str
    policy: str

    @property
    def text(self) -> str:
        """As rows have it."""
        return f"{self.state} {self.policy}"

    @classmethod
    def read(cls, text: str | None) -> RecordState | None:
        """From a row."""
        if text is None:
            return None
        state, _, policy = text.partition(" ")
        return cls(state, policy or OFF)

    def after(self, before: RecordState | None) -> RecordState:
        """Of an execution whose earlier legs or attempts were in the state `before`: a record that is kept
        stays."""
        return before if before is not None and before.state in KEPT else self
