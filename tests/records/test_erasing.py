"""Erasing executions that have no record, on both databases: they are found by the id that they name."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from runner.records.erasure import erase_subject
from runner.store import Store
from runner.store.executions import pending_row
from runner.store.tables.runs import ExecutionRow
from tests.runtime.tenants import RING, tenant

LINE: dict[str, Any] = {"action_name": "a", "action_id": "1", "version_id": "2", "status": "failed"}


def put(store: Store, name: str, execution_id: str, *, outcome: str = "{}", **result: Any) -> None:
    with store.begin() as session:
        row = pending_row(name, execution_id, "post-login", None, timedelta(days=1))
        row.status, row.decision, row.outcome = "final", "failed", outcome
        row.results = [{**LINE, "logs": [], **result}]
        session.add(row)


@pytest.mark.parametrize("user", ["auth0|Jürgen 🙂", "auth0|66b1", "per%_cent\\", 'quo"ted'])
def test_whoever_is_named_is_erased_and_nobody_whose_id_only_begins_so(store: Store, user: str) -> None:
    mine, other = tenant(store, "mine"), tenant(store, "other")
    text = json.dumps({"claims": {"sub": user}}, ensure_ascii=False)
    put(store, mine, "claims", outcome=text)
    put(store, mine, "log", logs=[{"text": f"hello {user}!"}])
    put(store, mine, "error", error={"id": "throw", "msg": f"no {user}"}, failure={"name": "E", "stack": []})
    put(store, mine, "longer", logs=[{"text": f"{user}7"}], outcome=text.replace('"}', '-b"}'))
    put(store, other, "claims", outcome=text)
    assert erase_subject(store, RING, mine, user, "me").executions == 3
    assert erase_subject(store, RING, mine, user, "me").executions == 0
    with store.read() as session:
        for name in ("claims", "log", "error"):
            row = session.get_one(ExecutionRow, (mine, name))
            assert (row.decision, row.outcome, row.results[0]["version_id"]) == ("failed", None, "2")
            assert user not in str(row.results)
        assert session.get_one(ExecutionRow, (mine, "longer")).outcome
        assert session.get_one(ExecutionRow, (other, "claims")).outcome == text


def test_an_id_that_others_contain_as_well_is_not_looked_for(store: Store) -> None:
    mine = tenant(store, "mine")
    put(store, mine, "log", logs=[{"text": "took 1 ms"}])
    assert erase_subject(store, RING, mine, "1", "me").executions == 0
