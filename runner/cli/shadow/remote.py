"""Shadow runs on the service of `login`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runner.cli.shadow.options import ShadowOptions
from runner.cli.shadow.show import progress
from runner.cli.terminal import error_console
from runner.client import Api
from runner.model.errors import InputError
from runner.project.jsonfile import read_text
from runner.shadow.rules import IgnoreRule
from sandbox.core.caps import MAX_SOURCE_BYTES

ACTIONS: Final = "/api/v2/actions/actions"
_LAST: Final = 500
_POLL_SECONDS: Final = 0.5
_BUILD_SECONDS: Final = 120.0
_UNFINISHED: Final = ("queued", "running")


def shadow_service(api: Api, options: ShadowOptions, rules: Sequence[IgnoreRule]) -> dict[str, Any]:
    """Run it on the service, which keeps its draft, and wait for its end; the report with `groups`.

    Raises:
        InputError: `unknown_action`, `unknown_version`, `not_built`, `shadow_failed`.
        ServiceError: as requests raise it.
    """
    action = _action(api, options.action or _stem(options.draft))
    body: dict[str, Any] = {
        "candidate": _candidate(api, action, options),
        "last": options.last or _LAST,
        "ignore": [rule.model_dump(mode="json", exclude_none=True) for rule in rules],
    }
    if options.live_hours is not None:
        body["live_hours"] = options.live_hours
    shadows = f"{ACTIONS}/{action['id']}/shadows"
    shadow: Mapping[str, Any] = api.send("POST", shadows, body=body).value
    place = f"{shadows}/{shadow['id']}"
    try:
        with progress(error_console(), body["last"]) as told:
            while shadow["state"] in _UNFINISHED:
                time.sleep(_POLL_SECONDS)
                shadow = api.get(place).value
                told(shadow["done"], shadow["different"])
    except KeyboardInterrupt:
        api.send("DELETE", place)
        raise
    if shadow["state"] != "done":
        raise InputError("shadow_failed", f"the shadow run {shadow['state']}: {shadow.get('error', '')}")
    return {**shadow, "groups": api.get(f"{place}/differences").value["differences"]}


def _stem(draft: Path | None) -> str:
    if draft is None:
        raise InputError("invalid_option", "give a file, or the name of an Action with --action")
    return draft.stem


def _action(api: Api, name: str) -> Mapping[str, Any]:
    found = api.get(ACTIONS, actionName=name).value.get("actions") or []
    exact = [item for item in found if item["name"] == name]
    if not exact:
        raise InputError(
            "unknown_action",
            f"there is no Action {name!r} on the service",
            next_step="Say with --action which one the file is to replace.",
        )
    action: Mapping[str, Any] = exact[0]
    return action


def _candidate(api: Api, action: Mapping[str, Any], options: ShadowOptions) -> dict[str, Any]:
    if options.version is not None:
        for version in api.pages(f"{ACTIONS}/{action['id']}/versions", "versions"):
            if version["number"] == options.version:
                return {"version_id": version["id"]}
        raise InputError("unknown_version", f"{action['name']} has no version {options.version}")
    if options.draft is not None:
        _wait_until_built(api, action)
        return {"code": read_text(options.draft, "Action", limit=MAX_SOURCE_BYTES)}
    _wait_until_built(api, action)
    return {"draft": True}


def _wait_until_built(api: Api, action: Mapping[str, Any]) -> None:
    deadline = time.monotonic() + _BUILD_SECONDS
    while True:
        found = api.get(f"{ACTIONS}/{action['id']}").value
        if found["status"] == "built":
            return
        if found["status"] == "failed" or time.monotonic() > deadline:
            why = "; ".join(item["msg"] for item in found.get("errors", ()))
            raise InputError("not_built", f"the draft of {action['name']} is {found['status']}: {why}")
        time.sleep(_POLL_SECONDS)
