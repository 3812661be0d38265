"""`actionbox dev`, as an author uses it: files in an editor on one side, the console on the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.console.browser import Browser
from tests.dev.process import Dev, serving

DENIES = """\
exports.onExecutePostLogin = async (event, api) => {
  console.log("looking at " + event.user.email);
  if (event.user.email.endsWith("@rival.example")) api.access.deny("not you");
};
"""
CASE = """\
trigger: post-login
actions: [guard.js]
cases:
  - name: lets the crew in
    expect: {decision: allow}
  - name: keeps rivals out
    patch: {user: {email: max@rival.example}}
    expect: {decision: deny, effects: {denial: {reason: not you}}}
"""


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    folder = tmp_path_factory.mktemp("dev") / "actions"
    folder.mkdir()
    with serving(folder, "--secret", "SITE_KEY=a-secret-of-the-profile-site-0001") as found:
        found.use_link()
        yield found


def problems(folder: dict[str, Any]) -> list[str]:
    return [f"{item['file']}: {item['message']}" for item in folder["problems"]]


def bound(dev: Dev, trigger: str = "post-login") -> list[str]:
    found = dev.get(f"/api/v2/actions/triggers/{trigger}/bindings")["bindings"]
    return [item["action"]["name"] for item in found]


def test_from_an_empty_folder_to_a_passing_case(dev: Dev) -> None:
    first = dev.get("/console/api/dev")
    assert (first["actions"], first["problems"], first["folder"]) == ([], [], str(dev.folder))
    session = dev.get("/console/api/session")
    assert (session["mode"], session["tenant"]["id"]) == ("dev", "local")

    made = dev.post("/console/api/dev/actions", {"trigger_id": "pre-user-registration", "name": "signup"})
    assert (made["file"], made["case_file"]) == ("signup.js", "signup.case.yaml")
    assert "onExecutePreUserRegistration" in (dev.folder / "signup.js").read_text()
    action, _ = dev.action("signup")
    assert action["id"] == made["action_id"]
    assert action["deployed_version"]["number"] == 1
    assert bound(dev, "pre-user-registration") == ["signup"]
    ran = dev.post("/console/api/dev/cases/run", {"file": "signup.case.yaml"})["results"]
    assert [item["status"] for item in ran] == ["passed"]
    again = dev.call("POST", "/console/api/dev/actions", {"trigger_id": "post-login", "name": "signup"})
    assert (again.status, again.json["errorCode"]) == (409, "exists")


def test_a_failing_case_is_shown_and_mended(dev: Dev) -> None:
    (dev.folder / "guard.js").write_text(DENIES.replace("@rival", "@other"))
    (dev.folder / "guard.case.yaml").write_text(CASE)
    dev.until(lambda found: any(item["name"] == "guard" and item["deployed"] for item in found["actions"]))
    listed = dev.get("/console/api/dev/cases")["files"]
    mine = next(item for item in listed if item["file"] == "guard.case.yaml")
    assert [item["name"] for item in mine["cases"]] == ["lets the crew in", "keeps rivals out"]

    results = dev.post("/console/api/dev/cases/run", {"file": "guard.case.yaml"})["results"]
    assert [item["status"] for item in results] == ["passed", "failed"]
    assert results[1]["differences"][0] == {"path": "$.decision", "expected": "'deny'", "found": "'allow'"}
    logs = results[1]["outcome"]["actions"][0]["logs"]
    assert logs[0]["text"] == "looking at max@rival.example"

    action, etag = dev.action("guard")
    saved = dev.call("PATCH", f"/api/v2/actions/actions/{action['id']}", {"code": DENIES}, {"If-Match": etag})
    assert saved.status == 200, saved
    assert (dev.folder / "guard.js").read_text() == DENIES
    results = dev.post("/console/api/dev/cases/run", {"file": "guard.case.yaml", "name": "keeps rivals out"})
    assert [item["status"] for item in results["results"]] == ["passed"]
    # A save deploys, and the entity tag of what was saved is still good.
    version = action["deployed_version"]["number"]
    dev.until(lambda _: dev.action("guard")[0]["deployed_version"]["number"] > version)
    assert dev.action("guard")[1] == saved.headers["etag"]
    ran = dev.post("/console/api/simulations", {"trigger_id": "post-login"})
    assert ran["outcome"]["decision"] == "allow"
    assert "user.user_id" in ran["filled_in"] or "user" in ran["filled_in"]
    denied = dev.post(
        "/console/api/simulations",
        {"trigger_id": "post-login", "event": {"user": {"email": "max@rival.example"}}},
    )
    assert denied["outcome"]["decision"] == "deny"


def test_a_mistake_is_told_with_its_place_and_the_last_good_version_goes_on(dev: Dev) -> None:
    (dev.folder / "late.js").write_text(DENIES)
    dev.until(lambda found: any(item["name"] == "late" and item["deployed"] for item in found["actions"]))
    (dev.folder / "late.js").write_text(
        "exports.onExecutePostLogin = async (event, api) => {\n  const = 1;\n};\n"
    )
    found = dev.until(lambda found: found["problems"])
    assert [(item["file"], item["line"]) for item in found["problems"]] == [("late.js", 2)]
    action, _ = dev.action("late")
    assert action["status"] == "failed"
    assert action["code"].splitlines()[1] == "  const = 1;"
    assert "late" in bound(dev)
    (dev.folder / "late.js").unlink()
    gone = dev.until(lambda found: not found["problems"])
    assert "late" not in [item["name"] for item in gone["actions"]]
    assert "late" not in bound(dev)


def test_neither_side_is_lost_when_both_change_a_file(dev: Dev) -> None:
    (dev.folder / "both.js").write_text(DENIES)
    dev.until(lambda found: any(item["name"] == "both" for item in found["actions"]))
    action, etag = dev.action("both")
    theirs = DENIES + "// changed in an editor\n"
    (dev.folder / "both.js").write_text(theirs)
    # At once: the watcher may not have seen it.
    path = f"/api/v2/actions/actions/{action['id']}"
    refused = dev.call("PATCH", path, {"code": DENIES + "// mine\n"}, {"If-Match": etag})
    assert refused.status == 412
    assert (dev.folder / "both.js").read_text() == theirs
    action, etag = dev.action("both")
    assert action["code"] == theirs
    merged = theirs + "// mine\n"
    assert dev.call("PATCH", path, {"code": merged}, {"If-Match": etag}).status == 200
    assert (dev.folder / "both.js").read_text() == merged
    (dev.folder / "both.js").unlink()


def test_what_the_folder_decides_is_not_changed_elsewhere(dev: Dev) -> None:
    (dev.folder / "fixed.js").write_text(DENIES)
    dev.until(lambda found: any(item["name"] == "fixed" and item["deployed"] for item in found["actions"]))
    action, _ = dev.action("fixed")
    path = f"/api/v2/actions/actions/{action['id']}"
    for body in ({"name": "other"}, {"dependencies": [{"name": "axios", "version": "1.7.2"}]}):
        reply = dev.call("PATCH", path, body)
        assert (reply.status, reply.json["errorCode"]) == (409, "in_folder"), reply
    assert dev.call("DELETE", f"{path}?force=true").status == 409
    assert dev.action("fixed")[0]["name"] == "fixed"
    # Secrets have no file: they stay, through later pushes too; those of the command line come again.
    assert dev.call("PATCH", path, {"secrets": [{"name": "MINE", "value": "12345678"}]}).status == 200
    (dev.folder / "fixed.js").write_text(DENIES + "// more\n")
    dev.until(lambda _: dev.action("fixed")[0]["code"].endswith("// more\n"))
    names = [item["name"] for item in dev.action("fixed")[0]["secrets"]]
    assert names == ["MINE", "SITE_KEY"]
    (dev.folder / "fixed.js").unlink()


def test_a_new_action_of_the_console_gets_a_file(dev: Dev) -> None:
    body = {"name": "fresh", "supported_triggers": [{"id": "post-login"}], "code": DENIES}
    assert dev.call("POST", "/api/v2/actions/actions", body).status == 201
    assert (dev.folder / "fresh.js").read_text() == DENIES
    for name in ("../up", "conftest", "a b", ".hidden"):
        reply = dev.call("POST", "/api/v2/actions/actions", {**body, "name": name})
        assert (reply.status, reply.json["errorCode"]) == (400, "invalid_name"), reply
    assert not (dev.folder.parent / "up.js").exists()
    taken = dev.call("POST", "/api/v2/actions/actions", {**body, "name": "guard"})
    assert taken.status in (409, 412)
    (dev.folder / "fresh.js").unlink()


def test_files_are_written_inside_the_folder_and_as_they_were_read(dev: Dev) -> None:
    outside = dev.folder.parent / "outside.case.yaml"
    outside.write_text("outside")
    (dev.folder / "link.case.yaml").symlink_to(outside)
    path = "/console/api/dev/files/"
    new = {"If-None-Match": "*"}
    for name in ("../outside.case.yaml", "link.case.yaml", ".git/x.case.yaml", "conftest.py", "package.json"):
        reply = dev.call("PUT", path + name, {"text": "x"}, new)
        assert reply.status in (400, 404, 412), (name, reply)
        assert dev.call("GET", path + name).status in (400, 404)
    assert outside.read_text() == "outside"
    (dev.folder / "link.case.yaml").unlink()

    assert dev.call("PUT", path + "made.case.yaml", {"text": CASE}).status == 400  # says not what it replaces
    made = dev.call("PUT", path + "made.case.yaml", {"text": CASE}, new)
    assert made.status == 200, made
    assert dev.call("PUT", path + "made.case.yaml", {"text": "x"}, new).status == 412
    (dev.folder / "made.case.yaml").write_text(CASE + "# theirs\n")
    tag = {"If-Match": made.headers["etag"]}
    assert dev.call("PUT", path + "made.case.yaml", {"text": "x"}, tag).status == 412
    read = dev.call("GET", path + "made.case.yaml")
    assert read.json["text"].endswith("# theirs\n")
    tag = {"If-Match": read.headers["etag"]}
    assert dev.call("PUT", path + "made.case.yaml", {"text": "trigger: [\n"}, tag).status == 200
    listed = dev.get("/console/api/dev/cases")["files"]
    mine = next(item for item in listed if item["file"] == "made.case.yaml")
    assert mine["cases"] == []
    assert "not YAML" in mine["problem"]["message"]
    assert dev.call("POST", "/console/api/dev/cases/run", {"file": "made.case.yaml"}).status == 400
    assert dev.call("POST", "/console/api/dev/cases/run", {"file": "../x.case.yaml"}).status == 400
    assert dev.call("POST", "/console/api/dev/cases/run", {"file": "guard.js"}).status == 400
    (dev.folder / "made.case.yaml").unlink()


def test_only_who_has_the_link_and_comes_from_the_console(dev: Dev) -> None:
    stranger = Browser(dev.url)
    for path in ("/console/api/dev", "/console/api/dev/files/guard.js", "/api/v2/actions/actions"):
        assert stranger.call("GET", path).status == 401
    assert stranger.call("POST", "/console/api/dev/actions", {"trigger_id": "post-login"}).status == 401
    used = stranger.call("POST", "/console/api/sign-in/link", {"token": dev.link.partition("=")[2]})
    assert used.status == 401  # it signs in once
    crossing = dev.call(
        "POST", "/console/api/dev/actions", {"trigger_id": "post-login"}, {"Sec-Fetch-Site": "cross-site"}
    )
    assert (crossing.status, crossing.json["errorCode"]) == (403, "cross_site")


def test_the_terminal_tells_what_became_of_the_folder(dev: Dev) -> None:
    said = dev.said()
    assert str(dev.folder) in said
    assert "late.js:2" in said
    assert "a-secret-of-the-profile-site" not in said
