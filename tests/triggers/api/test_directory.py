"""`api.groups`, `api.roles` and `api.rules`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.triggers.driver import ABSENT, Flow, error
from triggers import StaticDirectory

USER, ORGANIZATION = "auth0|66b1f0c2a94d7e0012c3ab45", "org_5Yw3Nc9Kd2Ht6PsB"


def role(n: int) -> Any:
    return {"id": f"rol_{n}", "name": f"role {n}", "type": "direct"}


def group(n: int) -> Any:
    return {
        "id": f"grp_{n}",
        "name": f"group {n}",
        "tenant_name": "harbor-dev",
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
        "membership_created_at": "2026-01-01T00:00:00.000Z",
        "assignment": "direct",
    }


ROLES, GROUPS = [role(n) for n in range(120)], [group(n) for n in range(60)]
DIRECTORY = StaticDirectory(
    user_groups={USER: GROUPS},
    user_roles={(USER, ORGANIZATION): ROLES, (USER, None): [role(999)]},
    group_types={"grp_1": "organization"},
)


def flow_of(event: dict | None = None) -> Flow:
    return Flow("post-login", event, directory=DIRECTORY)


def test_roles_come_in_pages() -> None:
    flow = flow_of()
    first = flow.call("roles.getUserEffectiveRoles")["ok"]
    assert (first["roles"], first["next"]) == (ROLES[:50], "50")
    second = flow.call("roles.getUserEffectiveRoles", {"take": 70, "from": first["next"]})["ok"]
    assert second == {"roles": ROLES[50:]}
    assert len(flow.call("roles.getUserEffectiveRoles", {"take": 100})["ok"]["roles"]) == 100
    assert flow.call("roles.getUserEffectiveRoles", {"from": "500"})["ok"] == {"roles": []}


def test_roles_are_those_of_the_organization() -> None:
    flow = flow_of({"organization": ABSENT})
    assert flow.call("roles.getUserEffectiveRoles")["ok"] == {"roles": [role(999)]}


def test_groups_come_in_pages() -> None:
    page = flow_of().call("groups.getUserGroups", {"take": 59})["ok"]
    assert (len(page["groups"]), page["next"]) == (59, "59")
    assert len(flow_of().call("groups.getUserGroups", {"take": 5000})["ok"]["groups"]) == 60


@pytest.mark.parametrize("path", ["groups.getUserGroups", "roles.getUserEffectiveRoles"])
@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"take": 0}, "params.take must be a positive whole number"),
        ({"take": -1}, "params.take must be a positive whole number"),
        ({"take": 1.5}, "params.take must be a positive whole number"),
        ({"take": "5"}, "params.take must be a number"),
        ({"take": True}, "params.take must be a number"),
        ({"from": 5}, "params.from must be a string, not 5"),
        ({"from": "x"}, "params.from must be what an earlier page gave"),
        ({"from": "\u0665"}, "params.from must be what an earlier page gave"),
        ({"from": "9" * 5000}, "params.from must be what an earlier page gave"),
        ([], "params must be an object"),
    ],
)
def test_pages_that_are_refused(path: str, params: object, says: str) -> None:
    assert says in error(flow_of().call(path, params))


def test_a_page_of_roles_has_at_most_a_hundred() -> None:
    assert "at most 100" in error(flow_of().call("roles.getUserEffectiveRoles", {"take": 101}))


def test_memberships_by_id_or_name() -> None:
    answer = flow_of().call("groups.hasGroupMembership", ["grp_1", "group 2", "other"])["ok"]
    assert answer == {
        "memberships": {
            "grp_1": {
                "is_member": True,
                "matches": [{"id": "grp_1", "name": "group 1", "group_type": "organization"}],
            },
            "group 2": {
                "is_member": True,
                "matches": [{"id": "grp_2", "name": "group 2", "group_type": "tenant"}],
            },
            "other": {"is_member": False},
        }
    }


@pytest.mark.parametrize(
    ("path", "most", "known"),
    [
        ("roles.getUserEffectiveRolesByIds", 100, "rol_"),
        ("roles.getUserEffectiveRolesByNames", 50, "role "),
        ("groups.hasGroupMembership", None, "grp_"),
    ],
)
def test_lists_of_ids_and_names(path: str, most: int | None, known: str) -> None:
    flow = flow_of()
    if most:
        assert len(flow.call(path, [f"{known}{n}" for n in range(most)])["ok"]["roles"]) == most
        assert f"at most {most} entries" in error(flow.call(path, ["x"] * (most + 1)))
        assert flow.call(path, ["nothing"])["ok"] == {"roles": []}
    for bad, says in [
        ([], "must not be empty"),
        (None, "an array"),
        ("x", "an array"),
        ([5], "a string, not 5"),
    ]:
        assert says in error(flow.call(path, bad))


def test_a_user_without_anything() -> None:
    flow = Flow("post-login")
    assert flow.call("groups.getUserGroups")["ok"] == {"groups": []}
    assert flow.call("groups.hasGroupMembership", ["a"])["ok"] == {"memberships": {"a": {"is_member": False}}}


def test_rules() -> None:
    flow = Flow("post-login", executed_rules=frozenset({"rul_1"}))
    assert flow.call("rules.wasExecuted", "rul_1") == {"ok": True}
    assert flow.call("rules.wasExecuted", "rul_2") == {"ok": False}
    assert "ruleId must be a string" in error(flow.call("rules.wasExecuted", 5))
