"""What the requests of WSO2's actions have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runner.hooks.events import Reading, base_event, without_secrets
from runner.hooks.model import Defaults, Payload, RefusedError

PROVIDER: Final = "wso2"
LIMIT_MS: Final = 5_000
"""WSO2's own time to read an answer."""
BUDGET_MS: Final = 4_000
_SHAPES: Final = ("additionalHeaders", "additionalParams")


def check_type(payload: Payload, wanted: str) -> Reading:
    """`event` of a request. Raises `RefusedError` for one of another action."""
    if Reading(payload).text("actionType") != wanted:
        raise RefusedError(400, f"The payload is not one of {wanted}: see its actionType.")
    return Reading(payload).object("event")


def begun(payload: Payload, hook: str, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    """The event as all of them begin, with headers and parameters in one shape."""
    event = base_event(PROVIDER, hook, trigger, tenant, defaults, payload)
    given = Reading(payload).object("event")
    request = given.mapping("request")
    found = {name: without_secrets(_pairs(request.get(name), name)) for name in _SHAPES}
    if request:
        shown = event["hook"]["payload"]["event"]["request"]
        shown.update({name: found[name] for name in _SHAPES if name in request})
    headers = {name.lower(): value for name, value in found["additionalHeaders"].items()}
    for name, header in (("user_agent", "user-agent"), ("language", "accept-language")):
        if headers.get(header):
            event["request"][name] = headers[header]
    event["request"]["body"] = found["additionalParams"]
    client_id = given.object("request").text("clientId")
    if client_id:
        event["client"]["client_id"] = client_id
    org = given.object("organization")
    if org:
        event["organization"] = {
            "id": org.needed("id"),
            "name": org.text("orgHandle") or org.text("name") or org.needed("id"),
            "display_name": org.text("name") or org.needed("id"),
            "metadata": {},
        }
    return event


def _pairs(value: Any, name: str) -> dict[str, str]:
    """Headers or parameters, each with its first value: `{"name": ["value"]}` as the guide has them, or
    `[{"name": "name", "value": ["value"]}]` as its samples do."""
    if value is None:
        return {}
    if isinstance(value, list):
        listed = [(item.get("name"), item.get("value")) for item in value if isinstance(item, dict)]
        if len(listed) < len(value):
            raise RefusedError(400, f"The payload has not objects alone at $.event.request.{name}.")
    elif isinstance(value, Mapping):
        listed = list(value.items())
    else:
        raise RefusedError(400, f"The payload has neither an object nor a list at $.event.request.{name}.")
    found = {}
    for key, held in listed:
        first = next(iter(held), "") if isinstance(held, list) else held
        if not isinstance(key, str) or not isinstance(first, str):
            raise RefusedError(400, f"The payload has not strings alone at $.event.request.{name}.")
        found[key] = first
    return found
