"""The library entry: threads, asyncio, observers, stores and caches of a platform."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import runner as package
from runner import EventError, FlowOutcome, ProgramCache, Runner, Settings, public_egress
from runner.flow.leg_trace import LegTrace
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Language, Program, Source
from tests.flow.actions import both, javascript, python

ROOT = Path(__file__).parents[2]


def test_flows_run_side_by_side_and_do_not_mix(runner: Runner, event: dict[str, Any]) -> None:
    mine = "api.transaction.{set}('me', event.user.user_id)".format
    flow = [
        javascript(mine(set="setMetadata") + ";"),
        python("api.id_token.set_custom_claim('me', event.transaction.metadata.me)"),
    ]

    def once(number: int) -> Any:
        user = {**event["user"], "user_id": f"auth0|{number}"}
        return runner.run("post-login", {**event, "user": user}, flow).effects.id_token_claims["me"]

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(once, range(60))) == [f"auth0|{number}" for number in range(60)]


def test_asyncio(runner: Runner, event: dict[str, Any]) -> None:
    action = both("api.redirect.sendUserTo('https://x.example/');", "")

    async def main() -> FlowOutcome:
        asked = await runner.run_async("post-login", event, [action])
        assert asked.suspension is not None
        request = {**event["request"], "query": {"state": asked.suspension.state}}
        return await runner.resume_async(asked.suspension.handle, request=request)

    assert asyncio.run(main()).ok


def test_the_outcome_is_immutable_and_survives_json(runner: Runner, event: dict[str, Any]) -> None:
    flow = [python("raise ValueError('x')"), javascript("")]
    outcome = runner.run("post-login", event, flow, execution_id="exe_1", tenant="t")
    assert (outcome.execution_id, outcome.tenant, outcome.leg) == ("exe_1", "t", 1)
    assert FlowOutcome.from_json(outcome.to_json()) == outcome
    assert FlowOutcome.from_json(outcome.to_json()).to_dict() == outcome.to_dict()
    with pytest.raises(ValidationError):
        outcome.decision = "allow"  # type: ignore[assignment,misc]
    with pytest.raises(FrozenInstanceError):
        runner.settings = Settings()  # type: ignore[misc]
    assert outcome.to_dict()["schema"] == "actionbox.outcome/1"


def test_execution_ids_differ(runner: Runner, event: dict[str, Any]) -> None:
    ids = {runner.run("post-login", event, [javascript("")]).execution_id for _ in range(3)}
    assert len(ids) == 3


def test_an_observer_sees_every_leg_with_its_journals(runner: Runner, event: dict[str, Any]) -> None:
    seen: list[LegTrace] = []
    watched = replace(runner, observer=seen.append)
    watched.run("post-login", event, [python("print('x')"), javascript("api.cache.set('a', 'b');")])
    (trace,) = seen
    assert [execution.action for execution in trace.executions] == [0, 1]
    assert [entry.operation for entry in trace.executions[1].journal.entries if entry.operation == "api"] == [
        "api"
    ]
    assert trace.executions[1].clock, "the cache read the clock"


def test_the_cache_lasts_from_flow_to_flow_per_tenant_and_trigger(
    runner: Runner, event: dict[str, Any]
) -> None:
    action = python("print(api.cache.get('k'))\napi.cache.set('k', event.tenant.id)")
    texts = [
        runner.run("post-login", event, [action], tenant=tenant).actions[0].logs[0].text
        for tenant in ("a", "b", "a")
    ]
    assert texts[:2] == ["None", "None"]
    assert texts[2] != "None"


def test_lone_surrogates_of_an_action_do_no_harm(runner: Runner, event: dict[str, Any]) -> None:
    flow = [
        python("print('\\ud800')\napi.user.set_user_metadata('x', '\\udc00')"),
        javascript("console.log('\\ud800'); api.user.setUserMetadata('y\\udc00', '\\ud800');"),
        python("print(event.user.user_metadata)"),
    ]
    outcome = runner.run("post-login", event, flow)
    assert outcome.decision in ("allow", "failed")
    assert FlowOutcome.from_json(outcome.to_json()) == outcome
    outcome.to_json().encode("utf-8")


def test_lone_surrogates_in_the_event_are_refused_with_their_path(
    runner: Runner, event: dict[str, Any]
) -> None:
    event["user"]["user_metadata"] = {"a": "b\udfff"}
    with pytest.raises(EventError, match="user_metadata"):
        runner.run("post-login", event, [javascript("")])


def _endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["again"] = value
    return value


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"in": value}
    return value


def _doubled(times: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(times):
        value = [value, value]
    return value


@pytest.mark.parametrize("value", [_endless(), _nested(5_000), _doubled(40)], ids=["cycle", "deep", "shared"])
def test_events_without_end_are_refused(runner: Runner, event: dict[str, Any], value: Any) -> None:
    with pytest.raises(EventError, match="at most"):
        runner.run("post-login", {**event, "more": value}, [javascript("")])


def test_every_public_name_is_there() -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = package.nonsense


def test_importing_the_package_is_cheap() -> None:
    heavy = ("wasmtime", "aiohttp", "pydantic", "rich")
    code = f"import runner, sys; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_public_way_out_refuses_private_addresses(runner: Runner, event: dict[str, Any]) -> None:
    out = replace(runner, egress=public_egress())
    failure = out.run("post-login", event, [python("await fetch('http://127.0.0.1:8080/')")]).failure
    assert failure is not None
    assert failure.code == "egress"
    assert failure.detail["rule"] == "private-address"


class TestProgramCache:
    def source(self, text: str) -> Source:
        return Source(Language.PYTHON, "a.py", text)

    def program(self, source: Source) -> Program:
        return Program(source, b"", "image")

    def test_the_least_recently_used_goes_first(self) -> None:
        built: list[str] = []

        def build(source: Source) -> Program:
            built.append(source.text)
            return self.program(source)

        cache = ProgramCache(build, size=2)
        for text in ("a", "b", "a", "c", "a", "b"):
            cache.get(self.source(text))
        assert built == ["a", "b", "c", "b"]

    @pytest.mark.parametrize(("code", "builds"), [(FailureCode.SYNTAX, 1), (FailureCode.TIMEOUT, 2)])
    def test_a_failure_is_kept_only_when_it_lasts(self, code: FailureCode, builds: int) -> None:
        calls = 0

        def build(_: Source) -> Program:
            nonlocal calls
            calls += 1
            raise BuildError(Failure(code, "no"))

        cache = ProgramCache(build)
        for _ in range(2):
            with pytest.raises(BuildError):
                cache.get(self.source("a"))
        assert calls == builds
