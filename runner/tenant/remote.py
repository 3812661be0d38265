"""The tenant's state on the service, as the Management API tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.client.http import MANAGEMENT, Api

ACTIONS = f"{MANAGEMENT}/actions/actions"
MODULES = f"{MANAGEMENT}/actions/modules"
TRIGGERS = f"{MANAGEMENT}/actions/triggers"


@dataclass(frozen=True, slots=True)
class RemoteUnit:
    """An Action's or a module's draft.

    Attributes:
        raw: the object as it was answered.
        etag: of the draft, "" where the service gives none.
        current: the deployed (or published) version equals the draft.
        deployed: there is a deployed version.
        latest: number of a module's newest version, 0 before there is one.
    """

    id: str
    name: str
    code: str
    trigger: str
    runtime: str
    dependencies: Mapping[str, str]
    secrets: tuple[str, ...]
    modules: Mapping[str, int]
    current: bool
    etag: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    deployed: bool = False
    latest: int = 0


@dataclass(frozen=True, slots=True)
class Remote:
    """`bindings`: names of the bound Actions by trigger, in order."""

    actions: Mapping[str, RemoteUnit]
    modules: Mapping[str, RemoteUnit]
    bindings: Mapping[str, tuple[str, ...]]


def fetch(api: Api, triggers: set[str] | None = None) -> Remote:
    """Everything of the tenant; bindings of `triggers` only, of all current ones when None.

    Raises:
        ServiceError: see there.
    """
    actions = {item["name"]: _action(api, item["id"]) for item in api.pages(ACTIONS, "actions")}
    modules = {item["name"]: _module(api, item["id"]) for item in api.pages(MODULES, "modules")}
    wanted = _bindable(api) if triggers is None else sorted(triggers)
    return Remote(actions, modules, {trigger: _bindings(api, trigger) for trigger in wanted})


def _bindable(api: Api) -> list[str]:
    listed = api.get(TRIGGERS).value["triggers"]
    return [
        item["id"]
        for item in listed
        if item.get("status") == "CURRENT" and item.get("binding_policy") != "entity-bound"
    ]


def _bindings(api: Api, trigger: str) -> tuple[str, ...]:
    found = api.pages(f"{TRIGGERS}/{trigger}/bindings", "bindings")
    return tuple(item["action"]["name"] for item in found)


def _action(api: Api, action_id: str) -> RemoteUnit:
    answer = api.get(f"{ACTIONS}/{action_id}")
    item = answer.value
    return RemoteUnit(
        trigger=item["supported_triggers"][0]["id"],
        runtime=item.get("runtime", ""),
        modules={
            module["module_name"]: int(module["module_version_number"])
            for module in item.get("modules") or ()
        },
        current=bool(item.get("all_changes_deployed")) and "deployed_version" in item,
        deployed="deployed_version" in item,
        etag=answer.etag,
        **_common(item),
    )


def _module(api: Api, module_id: str) -> RemoteUnit:
    answer = api.get(f"{MODULES}/{module_id}")
    item = answer.value
    return RemoteUnit(
        trigger="",
        runtime="",
        modules={},
        current=bool(item.get("all_changes_published")),
        latest=int(item.get("latest_version_number") or 0),
        etag=answer.etag,
        **_common(item),
    )


def _common(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": item["id"],
        "name": item["name"],
        "code": item.get("code", ""),
        "dependencies": {entry["name"]: entry["version"] for entry in item.get("dependencies") or ()},
        "secrets": tuple(sorted(entry["name"] for entry in item.get("secrets") or ())),
        "raw": item,
    }
