"""The arm of a rollout that an event falls on: its user's, always the same, and only ever towards the
candidate as the share grows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from runner.model.traits import Trait, is_covered, value_at

Arm = Literal["control", "canary"]
CONTROL: Final = "control"
CANARY: Final = "canary"
SHARE: Final = "share"
"""The group that the share divides by chance: the only one that statistics may compare."""
NO_KEY: Final = "no_key"
_MAX_KEY: Final = 2_048
_SPACE: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class Assigned:
    """The choice for one event.

    Attributes:
        segment: of the rollout, see `runner.rollouts.lifecycle`; its counts are kept apart.
        group: `share`, `no_key` or `cohort:NAME`.
        reason: why, for people: `share 5 %`, `cohort staff`, `no user.user_id in the event`.
        user: the user under the rollout's own key, so that one who comes again is counted once; "" if
            unknown.
        protected: the user is on the lock-out list.
    """

    rollout_id: str
    segment: int
    arm: Arm
    group: str
    reason: str
    user: str = ""
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Cohort:
    """Users of whom another share gets the candidate; `percent`: 0 to 100."""

    name: str
    percent: float
    traits: tuple[Trait, ...]


@dataclass(frozen=True, slots=True)
class Arms:
    """How a rollout divides events now.

    Attributes:
        percent: share of the candidate, 0 to 100.
        path: where an event has its user.
        key: random bytes of the rollout's own: nobody outside can find a user who falls on an arm.
        lockout: whoever must not be denied by the candidate.
    """

    rollout_id: str
    segment: int
    percent: float
    path: str
    key: bytes = field(repr=False)
    cohorts: tuple[Cohort, ...] = ()
    lockout: tuple[Trait, ...] = ()

    def assign(self, event: Mapping[str, Any]) -> Assigned:
        """The arm of `event`, which is not yet checked. Never raises."""
        protected = is_covered(self.lockout, event)
        name = _text(value_at(event, self.path))
        if name is None:
            reason = f"no {self.path} in the event"
            return Assigned(self.rollout_id, self.segment, CONTROL, NO_KEY, reason, "", protected)
        percent, group, reason = self.percent, SHARE, f"share {self.percent:g} %"
        for cohort in self.cohorts:
            if is_covered(cohort.traits, event):
                percent, group = cohort.percent, f"cohort:{cohort.name}"
                reason = f"cohort {cohort.name} {cohort.percent:g} %"
                break
        arm: Arm = CANARY if position(self.key, name) < percent / 100 * _SPACE else CONTROL
        user = hmac.new(self.key, b"user\0" + name, hashlib.sha256).hexdigest()[:32]
        return Assigned(self.rollout_id, self.segment, arm, group, reason, user, protected)


def position(key: bytes, name: bytes) -> int:
    """The place of a user, below 2**64; whoever is below the share's part of that is on the candidate."""
    return int.from_bytes(hmac.digest(key, b"arm\0" + name, "sha256")[:8], "big")


def _text(value: Any) -> bytes | None:
    """The bytes of a key; None for what is none: nothing, an object, a text without end."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    text = str(value)
    return text.encode("utf-8", "surrogatepass") if len(text) <= _MAX_KEY else None
