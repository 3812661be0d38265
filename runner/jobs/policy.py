"""How often, and when again: attempts of asynchronous work by trigger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FLOW: Final = "flow"
NOTIFICATION: Final = "notification"


@dataclass(frozen=True, slots=True)
class Attempts:
    """`pauses`: seconds before the second attempt, the third, …; one attempt more than there are pauses."""

    pauses: tuple[float, ...]

    @property
    def most(self) -> int:
        return len(self.pauses) + 1

    def pause_after(self, attempt: int) -> float | None:
        """Seconds to wait after attempt number `attempt` failed; None when it was the last."""
        return self.pauses[attempt - 1] if attempt <= len(self.pauses) else None


_ONCE: Final = Attempts(())
_STREAM: Final = Attempts((1.0, 2.0, 4.0))
"""reference/trigger-event-stream.md: four attempts in all, back-off 1 s, 2 s, 4 s."""
_NOTIFICATION: Final = Attempts((15.0, 30.0, 60.0, 120.0, 240.0))
"""reference/trigger-custom-phone-provider.md: up to five more over the following minutes; the pauses are
decided."""
_NOTIFICATIONS: Final = frozenset({"custom-phone-provider", "custom-email-provider"})
MAX_CRASHES: Final = 5
"""Attempts that ended with the worker rather than with an outcome; then the job is dead as well."""


def attempts_of(trigger: str) -> Attempts:
    """Attempts of a flow of `trigger`. A failing Action of post-user-registration or post-change-password is
    not run again (reference/triggers.md section 7); a crash of ours is, for every trigger."""
    if trigger == "event-stream":
        return _STREAM
    return _NOTIFICATION if trigger in _NOTIFICATIONS else _ONCE


def is_asynchronous(trigger: str) -> bool:
    """`trigger` is answered once its event is stored, and runs later (reference/triggers.md section 1)."""
    return trigger in ("post-user-registration", "post-change-password", "event-stream")
