"""Shadow runs and the lock-out guard where people meet them: a service with a worker, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from runner.store.tables.models import AuditRow
from tests.serving.server import Client, Server
from tests.shadow.serving import edit, finished, login, on_record, recording

__all__ = ["recording"]

BODY = """
  const known = api.cache.get("visits")?.value ?? "0";
  api.cache.set("visits", String(Number(known) + 1));
  api.idToken.setCustomClaim("https://claims.example/visit", [known, crypto.randomUUID(), Date.now()]);
  if (event.secrets.KEY !== "a-secret-value") throw new Error("no secret");
"""
DENY_ADMINS = f"""{BODY}
  if (event.authorization.roles.includes("admin")) api.access.deny("no admins: " + event.user.email);
"""


class Site:
    """One tenant with an Action and logins on record: of an administrator, and of three others."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client: Client = server.client()
        code = f"exports.onExecutePostLogin = async (event, api) => {{{BODY}}};\n"
        secrets = [{"name": "KEY", "value": "a-secret-value"}]
        self.action = self.client.deployed("visits", code=code, secrets=secrets)
        self.client.bind(self.action)
        self.outcomes = [login(self.client, "auth0|admin", "admin")]
        self.outcomes += [login(self.client, f"auth0|user{n}", "reader") for n in range(3)]
        assert {item["decision"] for item in self.outcomes} == {"allow"}
        on_record(server, self.client, 4)

    @property
    def admins_login(self) -> str:
        return str(self.outcomes[0]["execution_id"])

    def deploy(self, **query: Any) -> Any:
        return self.client.call("POST", f"/actions/{self.action['id']}/deploy", **query)

    def audit(self) -> list[AuditRow]:
        with self.server.service.store.read() as session:
            rows = session.scalars(select(AuditRow).where(AuditRow.tenant_id == self.client.tenant))
            return list(rows.all())


@pytest.fixture(scope="module")
def site(recording: Server) -> Site:
    """Tests change its draft and its list, and nothing else."""
    return Site(recording)


@pytest.fixture(autouse=True)
def no_list(site: Site) -> Iterator[None]:
    yield
    site.client.call("DELETE", "/lockout")


class TestShadows:
    def test_a_version_against_itself_and_the_bound_that_this_proves(self, site: Site) -> None:
        version = site.client.get(f"/actions/{site.action['id']}")["deployed_version"]["id"]
        shadow = finished(site.client, site.action, {"candidate": {"version_id": version}, "last": 10})
        assert shadow["state"] == "done", shadow
        assert (shadow["compared"], shadow["different"], shadow["done"]) == (4, 0, 4)
        assert shadow["bound"] == 0.75
        assert shadow["self_checks"] == 1
        assert shadow["faults"] == []

    def test_a_source_runs_in_place_of_the_draft_which_stays(self, site: Site) -> None:
        before = site.client.get(f"/actions/{site.action['id']}")
        shadow = finished(
            site.client, site.action, {"candidate": {"code": _handler(DENY_ADMINS + "// Jürgen 🙂")}}
        )
        assert (shadow["candidate"], shadow["causes"]) == ({"code": True}, {"decision": 1})
        assert site.client.get(f"/actions/{site.action['id']}") == before

    def test_what_differs_is_grouped_with_executions_and_without_values(self, site: Site) -> None:
        edit(
            site.client,
            site.action,
            f"{DENY_ADMINS} api.user.setAppMetadata('seen', true);"
            "api.idToken.setCustomClaim(event.user.email, 1);"
            "await fetch('https://new.example/users/' + event.user.user_id).catch(() => {});",
        )
        shadow = finished(site.client, site.action, {"candidate": {"draft": True}})
        assert (shadow["compared"], shadow["different"]) == (4, 4)
        assert shadow["causes"] == {"decision": 1, "claim": 3}
        path = f"/actions/{site.action['id']}/shadows/{shadow['id']}/differences"
        found = site.client.get(path)["differences"]
        assert [(item["cause"], item["path"], item["count"]) for item in found] == [
            ("decision", "decision", 1),
            ("claim", "id_token_claims.*", 4),
            ("metadata", "app_metadata.seen", 4),
            ("unanswered", "GET https://new.example/users/*", 4),
            ("cost", "actions.visits.requests", 4),
        ]
        assert found[0]["executions"] == [site.admins_login]
        assert len(found[1]["executions"]) == 3
        only = site.client.get(path, cause="decision")["differences"]
        assert [item["cause"] for item in only] == ["decision"]
        assert "example.com" not in str(found) + str(shadow)

    def test_rules_ignore_what_somebody_expects_until_they_end(self, site: Site) -> None:
        edit(site.client, site.action, BODY + "console.log('more'); api.user.setAppMetadata('a', 1);")
        rules = [
            {"cause": "metadata", "path": "app_metadata.*", "owner": "ann", "until": "2999-01-01"},
            {"cause": "log", "owner": "bob", "until": "2001-01-01"},
        ]
        shadow = finished(site.client, site.action, {"candidate": {"draft": True}, "ignore": rules})
        assert shadow["causes"] == {"log": 4}
        assert [(rule["owner"], rule["count"], rule["expired"]) for rule in shadow["ignored"]] == [
            ("ann", 4, False),
            ("bob", 0, True),
        ]

    def test_a_live_shadow_takes_what_comes_and_ends_when_told(self, site: Site) -> None:
        other = Site(site.server)
        path = f"/actions/{other.action['id']}/shadows"
        edit(other.client, other.action, DENY_ADMINS)
        body = {"candidate": {"draft": True}, "live_hours": 1}
        reply = other.client.call("POST", path, body)
        assert reply.status == 202, reply
        login(other.client, "auth0|later", "admin")
        deadline = time.monotonic() + 60
        while (shadow := other.client.get(f"{path}/{reply.json['id']}"))["done"] < 1:
            assert time.monotonic() < deadline, shadow
            time.sleep(0.1)
        assert shadow["state"] == "running"
        assert (shadow["compared"], shadow["causes"]) == (1, {"decision": 1})
        assert other.client.call("DELETE", f"{path}/{shadow['id']}").status == 204
        assert other.client.get(f"{path}/{shadow['id']}")["state"] == "canceled"
        assert other.client.call("DELETE", f"{path}/{shadow['id']}").status == 204
        assert other.client.get(path) == {"shadows": []}

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 400),
            ({"candidate": {}}, 400),
            ({"candidate": {"draft": True, "version_id": "x"}}, 400),
            ({"candidate": {"version_id": "x"}}, 404),
            ({"candidate": {"draft": True}, "last": 0}, 400),
            ({"candidate": {"draft": True}, "ignore": [{"path": "a"}]}, 400),
            ({"candidate": {"draft": True}, "live_hours": 1, "since": "2026-01-01T00:00:00Z"}, 400),
        ],
    )
    def test_bad_input_is_refused(self, site: Site, body: dict[str, Any], status: int) -> None:
        assert site.client.call("POST", f"/actions/{site.action['id']}/shadows", body).status == status

    def test_a_tenant_has_so_many_at_a_time_and_no_others(self, site: Site) -> None:
        path = f"/actions/{site.action['id']}/shadows"
        body = {
            "candidate": {
                "version_id": site.client.get(f"/actions/{site.action['id']}")["deployed_version"]["id"]
            }
        }
        made = [site.client.call("POST", path, {**body, "live_hours": 1}) for _ in range(4)]
        assert [reply.status for reply in made] == [202, 202, 202, 429]
        stranger = site.server.client()
        assert stranger.call("GET", f"{path}/{made[0].json['id']}").status == 404
        for reply in made[:3]:
            site.client.call("DELETE", f"{path}/{reply.json['id']}")
        reader = site.server.client(site.client.tenant, ["read:actions"])
        assert reader.call("GET", path).status == 200
        assert reader.call("POST", path, body).status == 403


class TestGuard:
    def test_a_tenant_without_a_list_deploys_at_once(self, site: Site) -> None:
        edit(site.client, site.action, BODY)
        assert site.client.call("GET", "/lockout").status == 404
        assert site.deploy().status == 200

    def test_who_would_lock_out_an_administrator_is_refused(self, site: Site) -> None:
        rules = {"rules": [{"role": "admin"}], "last": 2}
        assert site.client.call("PUT", "/lockout", rules).json == rules
        assert site.client.get("/lockout") == rules
        edit(site.client, site.action, DENY_ADMINS)
        before = site.client.get(f"/actions/{site.action['id']}/versions")["versions"]
        refused = site.deploy()
        assert refused.status == 409
        assert refused.json["errorCode"] == "would_lock_out"
        assert site.admins_login in refused.json["message"]
        assert "force" in refused.json["message"]
        report = refused.json["report"]
        assert report["logins"] == [{"execution_id": site.admins_login, "listed": True, "now": "deny"}]
        assert (report["checked"], report["listed"], report["complete"]) == (3, 1, True)
        assert site.client.get(f"/actions/{site.action['id']}/versions")["versions"] == before
        assert "example.com" not in str(refused.json)

    def test_force_deploys_it_and_the_reason_is_audited(self, site: Site) -> None:
        site.client.call("PUT", "/lockout", {"rules": [{"email": "*@EXAMPLE.com"}]})
        edit(site.client, site.action, BODY + "throw new Error('broken');")
        assert site.deploy().status == 409
        done = site.deploy(force="everybody has left")
        assert done.status == 200
        assert [row.reason for row in site.audit() if row.reason] == ["everybody has left"]
        old = site.client.get(f"/actions/{site.action['id']}/versions")["versions"][1]
        back = f"/actions/{site.action['id']}/versions/{old['id']}/deploy"
        assert site.client.call("POST", back).status == 200

    def test_an_earlier_version_is_looked_at_as_well(self, site: Site) -> None:
        edit(site.client, site.action, "api.access.deny('closed')")
        assert site.deploy().status == 200
        edit(site.client, site.action, BODY)
        assert site.deploy().status == 200
        site.client.call("PUT", "/lockout", {"rules": [], "last": 5})
        closed = site.client.get(f"/actions/{site.action['id']}/versions")["versions"][1]
        reply = site.client.call("POST", f"/actions/{site.action['id']}/versions/{closed['id']}/deploy")
        assert reply.status == 409
        assert reply.json["report"]["locked_out"] == 4

    def test_a_request_that_nobody_can_answer_proves_nothing(self, site: Site) -> None:
        site.client.call("PUT", "/lockout", {"rules": [{"role": "admin"}]})
        edit(site.client, site.action, BODY + "await fetch('https://new.example/');")
        assert site.deploy().status == 200
        edit(site.client, site.action, BODY + "api.access.deny('no'); await fetch('https://new.example/');")
        assert site.deploy().status == 409

    def test_an_action_that_is_new_to_the_flow_is_looked_at(self, site: Site) -> None:
        site.client.call("PUT", "/lockout", {"rules": [{"user_id": "auth0|admin"}], "last": 0})
        action = site.client.create("another", code=_handler("api.access.deny('nobody')"))
        reply = site.client.call("POST", f"/actions/{action['id']}/deploy")
        assert reply.status == 409
        assert [item["execution_id"] for item in reply.json["report"]["logins"]] == [site.admins_login]

    def test_an_action_that_is_bound_is_looked_at(self, site: Site) -> None:
        code = "if (event.authorization.roles.includes('admin')) throw new Error('x')"
        action = site.client.create("bound later", code=_handler(code))
        assert site.client.call("POST", f"/actions/{action['id']}/deploy").status == 200
        site.client.call("PUT", "/lockout", {"rules": [{"where": {"user.user_id": "auth0|admin"}}]})
        path, one = (
            "/triggers/post-login/bindings",
            {"ref": {"type": "action_id", "value": site.action["id"]}},
        )
        other = {"ref": {"type": "action_id", "value": action["id"]}}
        refused = site.client.call("PATCH", path, {"bindings": [one, other]})
        assert (refused.status, refused.json["errorCode"]) == (409, "would_lock_out")
        assert [item["execution_id"] for item in refused.json["report"]["logins"]] == [site.admins_login]
        assert len(site.client.get(path)["bindings"]) == 1
        lenient = {**other, "fail_policy": "fail_open"}
        assert site.client.call("PATCH", path, {"bindings": [one, lenient]}).status == 200
        strict = {**other, "fail_policy": "fail_closed"}
        assert site.client.call("PATCH", path, {"bindings": [one, strict]}).status == 409
        assert site.client.call("PATCH", path, {"bindings": [one, strict]}, force="we know").status == 200
        assert "we know" in [row.reason for row in site.audit()]
        assert site.client.call("PATCH", path, {"bindings": [one]}).status == 200

    def test_what_is_deployed_with_its_build_is_looked_at_before(self, site: Site) -> None:
        site.client.call("PUT", "/lockout", {"rules": [{"role": "admin"}]})
        made = site.client.create("at once", code=_handler("api.access.deny('x')"), deploy=True)
        assert made["status"] == "built"
        assert "deployed_version" not in made
        good = site.client.create("good at once", code=_handler("console.log(1)"), deploy=True)
        assert good["deployed_version"]["number"] == 1

    @pytest.mark.parametrize(
        "body",
        [
            {"rules": [{}]},
            {"rules": [{"role": ""}]},
            {"rules": [{"name": "x"}]},
            {"last": 201},
            {"last": "1"},
        ],
    )
    def test_a_list_that_says_nothing_is_refused(self, site: Site, body: dict[str, Any]) -> None:
        assert site.client.call("PUT", "/lockout", body).status == 400


def _handler(body: str) -> str:
    return f"exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};\n"
