"""A rollout straight in the store, and legs as they leave events for it."""

from __future__ import annotations

from typing import Any

from runner.jobs.queue import JobQueue
from runner.rollouts import lifecycle
from runner.rollouts.conductor import Conductor
from runner.rollouts.counts import Counts
from runner.rollouts.events import INSERT
from runner.rollouts.plan import RolloutPlan
from runner.store import Store
from runner.store.sealed.secrets import SecretBox
from runner.store.tables.models import ActionRow, ActionVersionRow
from runner.store.tables.rollouts import RolloutRow
from tests.runtime.tenants import RING, deploy, tenant

CODE = "exports.onExecutePostLogin = async () => {};\n"
STAGES = [{"canary": {"percent": 50, "events": 1_000}}, {"promote": True}]


class Made:
    """A rollout of version 2 of an Action, with a conductor that looks when it is told to."""

    def __init__(self, store: Store, name: str = "t", code: str = CODE, **plan: Any) -> None:
        self.store = store
        self.tenant = tenant(store, name)
        self.action = deploy(store, self.tenant, "gate", CODE)
        body = RolloutPlan.model_validate({"stages": STAGES, **plan})
        with store.begin() as session:
            action = session.get(ActionRow, (self.tenant, self.action))
            assert action is not None
            candidate = ActionVersionRow(
                tenant_id=self.tenant,
                action_id=action.id,
                number=2,
                code=code,
                trigger_id="post-login",
                trigger_version="v1",
                runtime="node22",
            )
            session.add(candidate)
            session.flush()
            action.next_number = 3
            box = SecretBox(session, RING, self.tenant)
            self.id = lifecycle.start(session, box, action, candidate, body, "me", None, JobQueue(store)).id
        self.conductor = Conductor(store)

    def events(self, *events: dict[str, Any]) -> None:
        """Write what legs left."""
        usual = {
            "tenant_id": self.tenant,
            "rollout_id": self.id,
            "segment": 0,
            "kind_of_user": "share",
            "user_digest": "u",
            "is_first": True,
            "failed": False,
            "denied": False,
            "suspended": False,
            "cost_ms": None,
            "alarm": None,
            "hosts": None,
            "execution_id": "exe",
        }
        with self.store.begin() as session:
            session.connection().execute(INSERT, [{**usual, **event} for event in events])

    @property
    def row(self) -> RolloutRow:
        with self.store.read() as session:
            row = session.get(RolloutRow, (self.tenant, self.id))
            assert row is not None
            return row

    @property
    def counts(self) -> Counts:
        with self.store.read() as session:
            return Counts.of(session, self.row)

    def look(self) -> RolloutRow:
        """The rollout once the conductor has looked."""
        self.conductor.look()
        return self.row


def control(**more: Any) -> dict[str, Any]:
    return {"arm": "control", **more}


def canary(**more: Any) -> dict[str, Any]:
    return {"arm": "canary", **more}
