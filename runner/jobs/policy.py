"""Policies of jobs by kind: attempts, pauses between them, lease, and how many of one tenant at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FLOW: Final = "flow"
"""A flow of an asynchronous trigger."""
NOTIFICATION: Final = "notification"
"""A further attempt at a message, which an Action asked for."""
BUILD: Final = "build"
"""A build of an Action's draft."""
PACKAGE_BUILD: Final = "package-build"
"""The same of a draft with packages or modules, which takes seconds: others do not wait for it."""
SHADOW: Final = "shadow"
"""A draft or version on recorded executions: minutes of a core, in turn with everything else."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Attributes:
    delay: seconds before the first attempt.
    pauses: seconds before the second attempt, the third, …; one attempt more than there are pauses.
    lease_seconds: a worker that says nothing for so long is taken for dead.
    most_crashes: attempts that ended with the worker rather than with an outcome; after one more the job
        is dead.
    tenant_running: jobs of one tenant that are begun at a time, over all workers; None for no limit.
    """

    delay: float = 0.0
    pauses: tuple[float, ...] = ()
    lease_seconds: float = 30.0
    most_crashes: int = 5
    tenant_running: int | None = None

    @property
    def attempts(self) -> int:
        """In all, without those that ended with their worker."""
        return len(self.pauses) + 1

    def pause_after(self, attempt: int) -> float | None:
        """Seconds to wait after attempt number `attempt` failed; None when it was the last."""
        return self.pauses[attempt - 1] if attempt <= len(self.pauses) else None


POLICIES: Final[Mapping[tuple[str, str], Policy]] = {
    # A failing Action of post-user-registration or post-change-password is not run again
    # (reference/triggers.md section 7); a crash of ours is, for every trigger.
    (FLOW, ""): Policy(),
    # reference/trigger-event-stream.md: four attempts in all, back-off 1 s, 2 s, 4 s.
    (FLOW, "event-stream"): Policy(pauses=(1.0, 2.0, 4.0)),
    # reference/trigger-custom-phone-provider.md: up to five more over the following minutes; the pauses are
    # decided. The first attempt was the request itself.
    (NOTIFICATION, ""): Policy(delay=15.0, pauses=(30.0, 60.0, 120.0, 240.0)),
    # What may pass, such as a registry that does not answer. One at a time of a tenant: each takes seconds
    # of a core.
    (BUILD, ""): Policy(pauses=(3.0, 6.0), tenant_running=1),
    (PACKAGE_BUILD, ""): Policy(pauses=(3.0, 6.0), tenant_running=1),
    (SHADOW, ""): Policy(pauses=(5.0, 30.0), tenant_running=1),
}
"""By kind and trigger; a kind's row for the trigger "" holds for all that have none of their own."""


def policy_of(kind: str, trigger: str = "") -> Policy:
    """The policy of jobs of `kind`, for flows of `trigger`. Raises `KeyError` for a kind that is none."""
    return POLICIES.get((kind, trigger)) or POLICIES[kind, ""]


def is_asynchronous(trigger: str) -> bool:
    """`trigger` is answered once its event is stored, and runs later (reference/triggers.md section 1)."""
    return trigger in ("post-user-registration", "post-change-password", "event-stream")


def shadow_job(shadow_id: str) -> str:
    """Of the job that runs a shadow."""
    return f"shadow-{shadow_id}"
