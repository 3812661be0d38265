"""Making the changes of a plan, one request after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runner.client.http import Api
from runner.model.errors import RunnerError
from runner.tenant.plan import Change, Step
from runner.tenant.project import LATEST
from runner.tenant.remote import ACTIONS, MODULES, TRIGGERS

_BUILD_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 0.5

Say = Callable[[str], None]


class PushError(RunnerError):
    """A change cannot be made: `build_failed`, `build_slow` or `unknown_module`. Earlier ones stay."""


def forced(reason: str | None) -> dict[str, str | int | bool]:
    """The query of a deploy, and of bindings."""
    return {} if reason is None else {"force": reason}


@dataclass(slots=True)
class Applier:
    """Makes changes. `say` is told of each; `sleep` and `clock` are for tests.

    Attributes:
        force: why to deploy even what would lock people out; None not to.
        rollout: how a change of what is deployed already goes live; None to deploy it at once.
        started: ids of the rollouts that were started, by name of the Action.
        modules: ids of the modules that exist, by name.
    """

    api: Api
    say: Say = lambda _: None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    force: str | None = None
    rollout: Mapping[str, Any] | None = None
    started: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)

    def apply(self, changes: Sequence[Change], modules: Mapping[str, str]) -> int:
        """Make `changes` in order, and say how many of them changed anything: values of secrets can be sent
        that are there already. `modules`: ids of the modules that exist, by name.

        Raises:
            PushError, ServiceError: what was done before stays done; a second push goes on from there.
        """
        self.modules = dict(modules)
        made = 0
        for change in changes:
            self.say(f"{change.step.value} {change.kind} {change.name}")
            made += self.make(change)
        return made

    def make(self, change: Change) -> bool:
        """Make one change, and say whether it changed anything. Raises as `apply` does."""
        if change.kind == "binding":
            path = f"{TRIGGERS}/{change.name}/bindings"
            self.api.send("PATCH", path, query=forced(self.force), body=change.body)
            return True
        return self._module(change) if change.kind == "module" else self._action(change)

    def _module(self, change: Change) -> bool:
        module = self._write(MODULES, change)
        if module is None:
            return True
        self.modules[change.name] = str(module["id"])
        if module.get("all_changes_published"):
            return False
        if change.deploy:
            self.api.send("POST", f"{MODULES}/{module['id']}/versions")
        return True

    def _action(self, change: Change) -> bool:
        action = self._write(ACTIONS, change)
        if action is None:
            return True
        if action.get("all_changes_deployed") and "deployed_version" in action:
            return False
        if change.deploy:
            self._wait_until_built(str(action["id"]), change.name)
            if self.rollout is not None and is_rolled_out(change):
                made = self.api.send(
                    "POST",
                    f"{ACTIONS}/{action['id']}/rollouts",
                    query=forced(self.force),
                    body=self.rollout,
                )
                self.started[change.name] = str(made.value["id"])
                return True
            self.api.send("POST", f"{ACTIONS}/{action['id']}/deploy", query=forced(self.force))
        return True

    def _write(self, path: str, change: Change) -> Mapping[str, Any] | None:
        """Create, update or delete; what is there afterwards."""
        body = dict(change.body)
        if "modules" in body:
            body["modules"] = [self._reference(item) for item in body["modules"]]
        if change.step is Step.CREATE:
            return self._answer("POST", path, body)
        assert change.remote is not None, "a plan only changes what it saw"
        where = f"{path}/{change.remote.id}"
        if change.step is Step.DELETE:
            self.api.send("DELETE", where, query={"force": True} if path == ACTIONS else None)
            return None
        if change.step is Step.UPDATE:
            return self._answer("PATCH", where, body, _if_match(change.remote.etag))
        return change.remote.raw

    def _answer(
        self, method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        answered: Mapping[str, Any] = self.api.send(method, path, body=body, headers=headers).value
        return answered

    def _reference(self, item: Mapping[str, Any]) -> dict[str, str]:
        name, number = item["module_name"], item["module_version_number"]
        module_id = self.modules.get(name)
        if module_id is None:
            raise PushError(
                "unknown_module",
                f"there is no module {name!r} on the service",
                next_step="Add it under `modules`, or correct the name.",
            )
        versions = self.api.pages(f"{MODULES}/{module_id}/versions", "versions")
        if number == LATEST:
            number = max((version["version_number"] for version in versions), default=0)
        for version in versions:
            if version["version_number"] == number:
                return {"module_id": module_id, "module_version_id": version["id"]}
        there = ", ".join(str(version["version_number"]) for version in versions) or "none"
        raise PushError("unknown_module", f"module {name} has no version {number} (there: {there})")

    def _wait_until_built(self, action_id: str, name: str) -> None:
        deadline = self.clock() + _BUILD_SECONDS
        while True:
            action = self.api.get(f"{ACTIONS}/{action_id}").value
            status = action.get("status")
            if status == "built":
                return
            if status == "failed":
                raise PushError("build_failed", f"{name} does not build: {_errors(action)}")
            if self.clock() > deadline:
                raise PushError(
                    "build_slow",
                    f"{name} is still {status} after {_BUILD_SECONDS:.0f} s",
                    next_step="Push again later: what is done stays done.",
                )
            self.sleep(_POLL_SECONDS)


def is_rolled_out(change: Change) -> bool:
    """It changes an Action that is deployed: there is something to compare the candidate with."""
    return change.kind == "action" and change.deploy and change.remote is not None and change.remote.deployed


def _if_match(etag: str) -> dict[str, str]:
    """The draft must still be the one whose difference was shown."""
    return {"if-match": etag} if etag else {}


def _errors(action: Mapping[str, Any]) -> str:
    found = [str(item.get("msg", "")) for item in action.get("errors") or ()]
    return "; ".join(text for text in found if text) or "the service gives no reason"
