"""Simulated return of a user, put together from parts: the request, a signed session token, methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from runner.model.errors import InputError
from runner.suspension.stores import SuspendedFlow
from triggers.values import session_tokens


def merge_patch(target: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7396): objects merge, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def returning_request(
    waiting: SuspendedFlow, *, query: Mapping[str, Any], body: Mapping[str, Any], patch: Mapping[str, Any]
) -> dict[str, Any]:
    """`event.request` of the request that comes back: the one before with its own parameters and method,
    then `patch` (a merge patch), then `query` and `body`."""
    base = {**event_part(waiting, "request"), "query": {}, "body": {}, "method": "POST" if body else "GET"}
    merged: dict[str, Any] = merge_patch(base, dict(patch))
    for name, parameters in (("query", query), ("body", body)):
        there = merged.get(name)
        merged[name] = {**(there if isinstance(there, dict) else {}), **parameters}
    return merged


def event_part(waiting: SuspendedFlow, name: str) -> dict[str, Any]:
    """A member of the suspended event, {} when there is none."""
    state = waiting.flow_state
    event = state.get("event") if isinstance(state, dict) else None
    part = event.get(name) if isinstance(event, dict) else None
    return part if isinstance(part, dict) else {}


def session_token(
    waiting: SuspendedFlow, secret: str, claims: Mapping[str, Any], *, now: float, expires_in: int
) -> str:
    """A session token as an external site signs it: HS256, with `state`, `sub`, `iss`, `iat` and `exp`
    filled in unless `claims` has them (null leaves one out). Raises `InputError`."""
    standard = {
        "iat": int(now),
        "exp": int(now) + expires_in,
        "iss": event_part(waiting, "request").get("hostname"),
        "sub": event_part(waiting, "user").get("user_id"),
        "state": waiting.state,
    }
    payload = {key: value for key, value in {**standard, **claims}.items() if value is not None}
    try:
        return session_tokens.sign(payload, secret)
    except ValueError as error:
        raise InputError("session_token", f"the session token cannot be signed: {error}") from None


def with_timestamps(methods: Sequence[Mapping[str, Any]] | None, now: float) -> list[dict[str, Any]] | None:
    """Authentication methods with the time filled in where it is missing; None stays None."""
    if methods is None:
        return None
    stamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [{"timestamp": stamp, **method} for method in methods]
