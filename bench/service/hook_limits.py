"""What is left of a provider's time when Actions never end and eight requests come at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.report import Figure, Report
from bench.service.hooks import HOOKS
from bench.service.invoke import running_service
from runner.client import Api
from runner.hooks.model import Hook, Provider
from runner.hooks.providers import PROVIDERS
from tests.e2e.serving import Served
from tests.hooks.sending import HANDLERS, Line, setup
from tests.serving.server import Client
from triggers import get_trigger

_CLIENTS: Final = 8


def measured() -> Report:
    """For the first hook of each provider whose Actions run before the answer."""
    made = Report(
        f"Hooks whose Actions never end, {_CLIENTS} requests at once (1 worker, SQLite)",
        ("provider", "hook"),
        ("budget", "slowest answer", "the provider's limit", "answer relative to the limit"),
    )
    with running_service(1, "sqlite") as served:
        for provider in PROVIDERS.values():
            hook = next(item for item in provider.hooks.values() if get_trigger(item.triggers[0]).blocking)
            slowest = _slowest(served, provider, hook)
            made.add(
                provider.name,
                hook.name,
                Figure(hook.budget_ms, "ms", 0),
                Figure(slowest, "ms", 0),
                Figure(hook.limit_ms, "ms", 0),
                Figure(slowest / hook.limit_ms, "x", 2),
            )
    return made


def _slowest(served: Served, provider: Provider, hook: Hook) -> float:
    """Milliseconds. Raises `AssertionError` for an answer that lets the user go on."""
    api, given = served.api(), setup(provider.name)
    body = {"provider": provider.name, "hook": hook.name, "secrets": [{"value": given.secret}]}
    made = api.send("POST", HOOKS, body=body | ({"settings": given.settings} if given.settings else {}))
    _bind(api, hook.triggers[0])
    path = "/hooks/v1/" + made.value["url"].partition("/hooks/v1/")[2]
    line = Line(Client(served.url, "", ""), provider, hook, path, made.value["id"])

    def ask(_: int) -> float:
        began = time.perf_counter()
        answer = line.send()
        assert not line.goes_on(answer), answer
        return (time.perf_counter() - began) * 1000

    with ThreadPoolExecutor(_CLIENTS) as clients:
        return max(clients.map(ask, range(_CLIENTS)))


def _bind(api: Api, trigger: str) -> None:
    """Nothing but an Action that loops."""
    actions = "/api/v2/actions"
    body = {
        "name": f"endless {time.monotonic_ns()}",
        "code": f"exports.{HANDLERS[trigger]} = async () => {{ for (;;); }};",
        "supported_triggers": [{"id": trigger}],
    }
    action = api.send("POST", f"{actions}/actions", body=body).value
    api.send("POST", f"{actions}/actions/{action['id']}/deploy", query={"wait": True})
    bindings = [{"ref": {"type": "action_id", "value": action["id"]}, "display_name": "endless"}]
    api.send("PATCH", f"{actions}/triggers/{trigger}/bindings", body={"bindings": bindings})
