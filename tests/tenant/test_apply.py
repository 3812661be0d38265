"""Making the changes of a plan: what is sent, in which order, and when a push gives up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from runner.client.http import Api, ApiResponse
from runner.tenant.apply import Applier, PushError
from runner.tenant.plan import Change, Step
from runner.tenant.remote import ACTIONS, MODULES, TRIGGERS
from tests.tenant.test_plan import THERE

CREATE = Change("action", Step.CREATE, "roles", {"name": "roles", "code": "1"})
USES = {"module_name": "tools", "module_version_number": 2}
VERSIONS = [{"id": "v1", "version_number": 1}, {"id": "v2", "version_number": 2}]


class Service:
    """Stands in for `Api`: tells what it was sent, and answers as told."""

    def __init__(
        self, drafts: list[Mapping[str, Any]] | None = None, made: Mapping[str, Any] | None = None
    ) -> None:
        """`drafts`: what an Action is at each look; the last one for good. `made`: the answer to writes."""
        self._drafts = drafts or [{"status": "built"}]
        self._made = made or {"id": "new"}
        self.sent: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.headers: list[Any] = []

    def send(
        self, method: str, path: str, *, query: Any = None, body: Any = None, headers: Any = None
    ) -> ApiResponse:
        self.sent.append((method, path + ("?force" if query else "")))
        self.bodies.append(body)
        self.headers.append(headers)
        return ApiResponse(200, self._made)

    def get(self, path: str, **query: Any) -> ApiResponse:
        draft = self._drafts.pop(0) if len(self._drafts) > 1 else self._drafts[0]
        return ApiResponse(200, draft)

    def pages(self, path: str, items: str, **query: Any) -> list[Any]:
        assert (path, items) == (f"{MODULES}/m1/versions", "versions")
        return VERSIONS


def applier(service: Service) -> Applier:
    ticks: Iterator[int] = iter(range(0, 10_000, 100))
    return Applier(cast("Api", service), sleep=lambda _: None, clock=lambda: float(next(ticks)))


def test_a_new_action_is_deployed_once_it_is_built() -> None:
    service = Service([{"status": "pending"}, {"status": "building"}, {"status": "built"}])
    said: list[str] = []
    pushing = applier(service)
    pushing.say = said.append
    assert pushing.apply([CREATE], {}) == 1
    assert service.sent == [("POST", ACTIONS), ("POST", f"{ACTIONS}/new/deploy")]
    assert service.bodies[0] == CREATE.body
    assert said == ["create action roles"]


def test_an_action_that_is_not_to_be_deployed_is_only_written() -> None:
    service = Service()
    assert applier(service).apply([replace(CREATE, deploy=False)], {}) == 1
    assert service.sent == [("POST", ACTIONS)]


def test_a_change_names_the_draft_whose_difference_was_shown() -> None:
    service = Service()
    applier(service).apply([Change("action", Step.UPDATE, "roles", {"code": "2"}, remote=THERE)], {})
    assert service.sent[0] == ("PATCH", f"{ACTIONS}/{THERE.id}")
    assert service.headers[0] == {"if-match": THERE.etag}


def test_what_turns_out_to_be_there_already_is_not_deployed_and_not_counted() -> None:
    made = {"id": "new", "all_changes_deployed": True, "deployed_version": {}}
    service = Service(made=made)
    assert applier(service).apply([CREATE], {}) == 0
    assert service.sent == [("POST", ACTIONS)]
    service = Service(made={"id": "m1", "all_changes_published": True})
    assert applier(service).apply([Change("module", Step.CREATE, "tools", {"name": "tools"})], {}) == 0
    assert service.sent == [("POST", MODULES)]


def test_a_module_is_published_and_known_to_the_actions_after_it() -> None:
    service = Service(made={"id": "m1"})
    changes = [
        Change("module", Step.CREATE, "tools", {"name": "tools"}),
        replace(CREATE, body={"name": "roles", "modules": [USES]}),
    ]
    assert applier(service).apply(changes, {}) == 2
    assert service.sent[:3] == [("POST", MODULES), ("POST", f"{MODULES}/m1/versions"), ("POST", ACTIONS)]
    assert service.bodies[2]["modules"] == [{"module_id": "m1", "module_version_id": "v2"}]


@pytest.mark.parametrize(("number", "version"), [(1, "v1"), (2, "v2"), ("latest", "v2")])
def test_versions_of_modules_are_sent_by_id(number: object, version: str) -> None:
    service = Service()
    body = {"name": "roles", "modules": [{**USES, "module_version_number": number}]}
    applier(service).apply([replace(CREATE, body=body)], {"tools": "m1"})
    assert service.bodies[0]["modules"] == [{"module_id": "m1", "module_version_id": version}]


@pytest.mark.parametrize(
    ("modules", "number", "problem"),
    [({}, 1, "there is no module 'tools'"), ({"tools": "m1"}, 3, r"no version 3 \(there: 1, 2\)")],
)
def test_a_module_that_is_not_there_ends_the_push(modules: dict[str, str], number: int, problem: str) -> None:
    service = Service()
    body = {"name": "roles", "modules": [{**USES, "module_version_number": number}]}
    with pytest.raises(PushError, match=problem) as caught:
        applier(service).apply([replace(CREATE, body=body)], modules)
    assert caught.value.code == "unknown_module"
    assert service.sent == []


@pytest.mark.parametrize(
    ("draft", "code", "told"),
    [
        (
            {"status": "failed", "errors": [{"msg": "a"}, {"msg": "b"}]},
            "build_failed",
            "a; b",
        ),
        ({"status": "failed"}, "build_failed", "the service gives no reason"),
        ({"status": "building"}, "build_slow", "roles is still building after 300 s"),
    ],
)
def test_a_build_that_does_not_end_well_ends_the_push(draft: dict[str, Any], code: str, told: str) -> None:
    service = Service([draft])
    with pytest.raises(PushError) as caught:
        applier(service).apply([CREATE, replace(CREATE, name="later")], {})
    assert caught.value.code == code
    assert told in caught.value.message
    assert service.sent == [("POST", ACTIONS)]


def test_deletions_and_bindings_are_one_request_each() -> None:
    service = Service()
    changes = [
        Change("binding", Step.BIND, "post-login", {"bindings": []}, deploy=False),
        Change("action", Step.DELETE, "roles", {}, deploy=False, remote=THERE),
        Change("module", Step.DELETE, "tools", {}, deploy=False, remote=THERE),
    ]
    assert applier(service).apply(changes, {}) == 3
    assert service.sent == [
        ("PATCH", f"{TRIGGERS}/post-login/bindings"),
        ("DELETE", f"{ACTIONS}/{THERE.id}?force"),
        ("DELETE", f"{MODULES}/{THERE.id}"),
    ]
