"""Requests that read what executions leave behind, as both APIs offer them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from bench.growth.rows import DAYS
from bench.growth.services import Grown

Path = Callable[[Grown, str], str]
"""The path to ask a tenant of a service for."""
_EXECUTIONS: Final = "/runtime/v1/executions"
_LOGS: Final = "/api/v2/logs"
_EARLIER: Final = datetime.now(UTC) - timedelta(days=DAYS / 2)


def _list(**query: str) -> Path:
    return lambda _grown, _tenant: f"{_EXECUTIONS}?{urlencode(query)}"


def _log(**query: str) -> Path:
    return lambda _grown, _tenant: f"{_LOGS}?{urlencode(query)}"


def _after(**query: str) -> Path:
    """The page after that of `query`."""

    def path(grown: Grown, tenant: str) -> str:
        first: Any = grown.value(tenant, _list(**query)(grown, tenant))
        return _list(**query, **({"after": first["next"]} if "next" in first else {}))(grown, tenant)

    return path


def _one(grown: Grown, tenant: str) -> str:
    return f"{_EXECUTIONS}/{_id(grown, tenant)}"


def _one_managed(grown: Grown, tenant: str) -> str:
    return f"/api/v2/actions/executions/{_id(grown, tenant)}"


def _id(grown: Grown, tenant: str) -> str:
    found: Any = grown.value(tenant, _list(to=_text(_EARLIER), per_page="1")(grown, tenant))
    return str(found["executions"][0]["id"])


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micros(at: datetime) -> str:
    return f"{int(at.timestamp() * 1_000_000):016d}-000-a"


READS: Final[dict[str, Path]] = {
    "executions": _list(),
    "executions, second page by cursor": _after(),
    "executions, page of 9 days ago by cursor": _after(to=_text(_EARLIER - timedelta(days=4))),
    "executions, page 2 by number": _list(page="1"),
    "executions, trigger, frequent": _list(trigger="post-login"),
    "executions, trigger, rare": _list(trigger="post-change-password"),
    "executions, trigger, none": _list(trigger="event-stream"),
    "executions, action, frequent": _list(action="enrich-token"),
    "executions, action, one in 16": _list(action="risk-score"),
    "executions, action, only 9 days ago": _list(action="retired"),
    "executions, action, none": _list(action="never"),
    "executions, action, second page by cursor": _after(action="risk-score"),
    "executions, status, frequent": _list(status="final"),
    "executions, status, rare": _list(status="suspended"),
    "executions, status, none": _list(status="canceled"),
    "executions, decision, frequent": _list(decision="allow"),
    "executions, decision, rare": _list(decision="failed"),
    "executions, decision, none": _list(decision="never"),
    "executions, from": _list(**{"from": _text(_EARLIER)}),
    "executions, to": _list(to=_text(_EARLIER)),
    "executions, an hour": _list(**{"from": _text(_EARLIER), "to": _text(_EARLIER + timedelta(hours=1))}),
    "executions, trigger and decision": _list(trigger="pre-user-registration", decision="deny"),
    "executions, action and decision": _list(action="risk-score", decision="deny"),
    "executions, action of an hour": _list(
        **{"from": _text(_EARLIER), "to": _text(_EARLIER + timedelta(hours=1)), "action": "risk-score"}
    ),
    "execution": _one,
    "execution, Management API": _one_managed,
    "logs": _log(),
    "logs with totals": _log(include_totals="true"),
    "logs, logins": _log(q="type:s"),
    "logs, failed logins": _log(q="type:f"),
    "logs, sign-ups, rare": _log(q="type:ss"),
    "logs, failed sign-ups, rarer": _log(q="type:fs"),
    "logs, type that has none": _log(q="type:secte"),
    "logs, failed Actions": _log(q="type:actions_execution_failed"),
    "logs, an hour": _log(q=f"date:[{_text(_EARLIER)} TO {_text(_EARLIER + timedelta(hours=1))}]"),
    "logs, the oldest first": _log(sort="date:1"),
    "logs from a checkpoint": _log(**{"from": _micros(_EARLIER), "take": "50"}),
    "jobs, dead": lambda _grown, _tenant: "/runtime/v1/jobs?state=dead",
    "jobs, done": lambda _grown, _tenant: "/runtime/v1/jobs?state=done",
}
