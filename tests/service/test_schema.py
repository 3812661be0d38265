"""What the OpenAPI says is what the service does: schemathesis on both APIs, with a bounded budget."""

from __future__ import annotations

import os

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service.server import Server

BUDGET = int(os.environ.get("ACTIONBOX_SCHEMA_EXAMPLES", "6"))
"""Requests for each operation."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_every_operation(whole: Server) -> None:
    document = whole.client().get("//openapi.json")
    schema = schemathesis.openapi.from_dict(document).exclude(path="/runtime/v1/logs/stream")
    schema.config.update(base_url=whole.url)
    tenant = whole.client()
    headers = {"Authorization": f"Bearer {tenant.token}"}
    called: dict[str, int] = {}
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=BUDGET,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @seed(7)
        @given(case=operation.as_strategy())
        def call(case: schemathesis.Case) -> None:
            called[case.operation.label] = called.get(case.operation.label, 0) + 1
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=60)

        call()
    assert len(called) >= 34
    assert sum(called.values()) >= 34 * BUDGET / 2


def test_the_description(whole: Server) -> None:
    document = whole.client().get("//openapi.json")
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert len(operations) >= 34
    for operation in operations:
        assert operation["summary"]
        assert {"400", "401", "403", "404", "413", "429"} <= set(operation["responses"])
        if "422" in operation["responses"]:
            assert "HTTPValidationError" not in str(operation["responses"]["422"])
    assert "HTTPBearer" in document["components"]["securitySchemes"]
