"""Making the changes of a plan, one request after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runner.client.http import Api
from runner.errors import RunnerError
from runner.tenant.plan import Change, Step
from runner.tenant.remote import ACTIONS, MODULES, TRIGGERS

_BUILD_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 0.5

Say = Callable[[str], None]


class PushError(RunnerError):
    """A change cannot be made: `build_failed`, `build_slow` or `unknown_module`. Earlier ones stay."""


@dataclass(slots=True)
class Applier:
    """Makes changes. `say` is told of each; `sleep` and `clock` are for tests."""

    api: Api
    say: Say = lambda _: None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _modules: dict[str, str] = field(default_factory=dict)
    """Ids of modules by name."""

    def apply(self, changes: Sequence[Change], modules: Mapping[str, str]) -> None:
        """Make `changes` in order. `modules`: ids of the modules that exist, by name.

        Raises:
            PushError, ServiceError: what was done before stays done; a second push goes on from there.
        """
        self._modules = dict(modules)
        for change in changes:
            self.say(f"{change.step.value} {change.kind} {change.name}")
            if change.kind == "binding":
                self.api.send("PATCH", f"{TRIGGERS}/{change.name}/bindings", body=change.body)
            elif change.kind == "module":
                self._module(change)
            else:
                self._action(change)

    def _module(self, change: Change) -> None:
        module_id = self._write(MODULES, change)
        if module_id is None:
            return
        self._modules[change.name] = module_id
        if change.deploy:
            self.api.send("POST", f"{MODULES}/{module_id}/versions")

    def _action(self, change: Change) -> None:
        action_id = self._write(ACTIONS, change)
        if action_id is not None and change.deploy:
            self._wait_until_built(action_id, change.name)
            self.api.send("POST", f"{ACTIONS}/{action_id}/deploy")

    def _write(self, path: str, change: Change) -> str | None:
        """Create, update or delete; the id of what is there afterwards."""
        body = dict(change.body)
        if "modules" in body:
            body["modules"] = [self._reference(item) for item in body["modules"]]
        if change.step is Step.CREATE:
            return str(self.api.send("POST", path, body=body).value["id"])
        assert change.remote is not None, "a plan only changes what it saw"
        where = f"{path}/{change.remote.id}"
        if change.step is Step.DELETE:
            self.api.send("DELETE", where, query={"force": True} if path == ACTIONS else None)
            return None
        if change.step is Step.UPDATE:
            self.api.send("PATCH", where, body=body, headers=_if_match(change.remote.etag))
        return change.remote.id

    def _reference(self, item: Mapping[str, Any]) -> dict[str, str]:
        name, number = item["module_name"], item["module_version_number"]
        module_id = self._modules.get(name)
        if module_id is None:
            raise PushError(
                "unknown_module",
                f"there is no module {name!r} on the service",
                next_step="Add it under `modules`, or correct the name.",
            )
        versions = self.api.pages(f"{MODULES}/{module_id}/versions", "versions")
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


def _if_match(etag: str) -> dict[str, str]:
    """The draft must still be the one whose difference was shown."""
    return {"if-match": etag} if etag else {}


def _errors(action: Mapping[str, Any]) -> str:
    found = [str(item.get("msg", "")) for item in action.get("errors") or ()]
    return "; ".join(text for text in found if text) or "the service gives no reason"
