"""What `push` would change, from a folder and what the service has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.errors import InputError
from runner.tenant.hurdles import refuse_hurdles
from runner.tenant.plan import SHARED, Change, Step, make_plan
from runner.tenant.project import LATEST, Project, Unit
from runner.tenant.pull import pull
from runner.tenant.remote import Remote, RemoteUnit

UNIT = Unit("roles", "exports.onExecutePostLogin = async () => {};\n", "post-login", "node22")
THERE = RemoteUnit("act_1", "roles", UNIT.code, "post-login", "node22", {}, (), {}, current=True, etag='"1"')
NOTHING = Remote({}, {}, {})


def project(*units: Unit, **bindings: tuple[str, ...]) -> Project:
    actions = {unit.name: unit for unit in units}
    return Project(actions, {}, {name.replace("_", "-"): names for name, names in bindings.items()})


def remote(*units: RemoteUnit, **bindings: tuple[str, ...]) -> Remote:
    actions = {unit.name: unit for unit in units}
    return Remote(actions, {}, {name.replace("_", "-"): names for name, names in bindings.items()})


def plan(local: Project, there: Remote, values: Any = None, *, prune: bool = False) -> tuple[Change, ...]:
    return make_plan(local, there, values or {}, prune=prune)


def test_a_new_action_is_created_with_everything_and_deployed() -> None:
    unit = replace(UNIT, dependencies={"axios": "1.7.2"}, secrets=("KEY",))
    (change,) = plan(project(unit), NOTHING, {SHARED: {"KEY": "v"}})
    assert (change.step, change.deploy) == (Step.CREATE, True)
    assert change.body == {
        "name": "roles",
        "code": UNIT.code,
        "supported_triggers": [{"id": "post-login"}],
        "runtime": "node22",
        "dependencies": [{"name": "axios", "version": "1.7.2"}],
        "secrets": [{"name": "KEY", "value": "v"}],
        "modules": [],
    }
    assert f"+{UNIT.code.rstrip()}" in change.lines


def test_what_is_the_same_is_left_alone() -> None:
    assert plan(project(UNIT, post_login=("roles",)), remote(THERE, post_login=("roles",))) == ()


def test_only_changed_members_are_sent() -> None:
    (change,) = plan(project(replace(UNIT, code="// new\n")), remote(THERE))
    assert (change.step, change.body) == (Step.UPDATE, {"code": "// new\n"})
    assert change.remote == THERE
    assert "-exports.onExecutePostLogin = async () => {};" in change.lines
    assert "+// new" in change.lines


def test_a_draft_that_was_never_deployed_is_deployed() -> None:
    (change,) = plan(project(UNIT), remote(replace(THERE, current=False)))
    assert (change.step, change.body, change.deploy) == (Step.DEPLOY, {}, True)
    assert plan(project(replace(UNIT, deploy=False)), remote(replace(THERE, current=False))) == ()


def test_a_secret_without_a_value_here_keeps_the_one_there() -> None:
    there = replace(THERE, secrets=("OLD", "KEPT"))
    unit = replace(UNIT, secrets=("KEPT", "NEW"))
    (change,) = plan(project(unit), remote(there), {"roles": {"NEW": "n"}})
    assert change.body == {"secrets": [{"name": "KEPT"}, {"name": "NEW", "value": "n"}]}
    assert change.lines == ("secrets: NEW set, KEPT kept, OLD removed",)


def test_a_secret_without_a_value_anywhere_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InputError, match="the secret KEY has no value") as caught:
        plan(project(replace(UNIT, secrets=("KEY",))), NOTHING)
    assert "--secret KEY=VALUE" in caught.value.next_step


def test_the_value_of_an_action_outranks_the_shared_one() -> None:
    unit = replace(UNIT, secrets=("KEY",))
    (change,) = plan(project(unit), NOTHING, {SHARED: {"KEY": "all"}, "roles": {"KEY": "own"}})
    assert change.body["secrets"] == [{"name": "KEY", "value": "own"}]


def test_bindings_are_replaced_whole_in_order() -> None:
    other = replace(THERE, id="act_2", name="other")
    local = project(UNIT, post_login=("other", "roles"))
    (change,) = plan(local, remote(THERE, other, post_login=("roles",)))
    assert [item["ref"]["value"] for item in change.body["bindings"]] == ["other", "roles"]
    assert change.lines == ("roles  becomes  other -> roles",)


def test_a_binding_of_nothing_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="names 'role'") as caught:
        plan(project(UNIT, post_login=("role",)), NOTHING)
    assert caught.value.next_step == "Did you mean 'roles'?"


def test_what_the_folder_does_not_name_goes_only_with_prune() -> None:
    there = remote(THERE, replace(THERE, id="act_2", name="other"))
    assert plan(project(UNIT), there) == ()
    (change,) = plan(project(UNIT), there, prune=True)
    assert (change.step, change.name) == (Step.DELETE, "other")
    with pytest.raises(InputError, match="names 'other'"):
        plan(project(UNIT, post_login=("other",)), there, prune=True)


def words(**changes: Any) -> RemoteUnit:
    """A module on the service."""
    return replace(THERE, id="mod_1", name="words", trigger="", runtime="", latest=2, **changes)


def test_the_latest_version_of_a_module() -> None:
    unit = replace(UNIT, modules={"words": LATEST})
    module = Unit("words", UNIT.code)
    local = Project({"roles": unit}, {"words": module}, {})
    there = Remote({"roles": replace(THERE, modules={"words": 2})}, {"words": words()}, {})
    assert plan(local, there) == (), "it has the newest already"
    behind = Remote({"roles": replace(THERE, modules={"words": 1})}, {"words": words()}, {})
    (change,) = plan(local, behind)
    assert change.body["modules"] == [{"module_name": "words", "module_version_number": 2}]
    _, change = plan(replace(local, modules={"words": replace(module, code="// new\n")}), there)
    assert change.body["modules"] == [{"module_name": "words", "module_version_number": LATEST}]


def hurdle(local: Project, there: Remote, *, prune: bool = False) -> str:
    with pytest.raises(InputError) as caught:
        refuse_hurdles(local, there, plan(local, there, prune=prune), prune=prune)
    assert caught.value.code == "push_would_fail"
    return caught.value.message


def test_what_a_push_would_trip_over() -> None:
    held = replace(UNIT, deploy=False)
    assert "roles is not deployed" in hurdle(project(held, post_login=("roles",)), NOTHING)
    elsewhere = remote(replace(THERE, trigger="credentials-exchange", deployed=True))
    assert hurdle(project(post_login=("roles",)), elsewhere) == (
        "bindings.post-login: roles is an Action for credentials-exchange"
    )
    assert "roles is not deployed" in hurdle(project(post_login=("roles",)), remote(THERE))
    for number, newest in ((3, 2), (9, 2)):
        unit = replace(UNIT, modules={"words": number})
        message = hurdle(project(unit), Remote({}, {"words": words()}, {}))
        assert f"module words will have no version {number}, only up to {newest}" in message
        assert "`words: latest`" in message
    assert "there is no module 'words'" in hurdle(project(replace(UNIT, modules={"words": 1})), NOTHING)
    packages = replace(UNIT, dependencies={"BAD NAME": "1.0.0"})
    assert "is not the name of an npm package" in hurdle(project(packages), NOTHING)


def test_what_a_push_does_not_trip_over() -> None:
    unit = replace(UNIT, modules={"words": 3}, deploy=False)
    local = Project({"roles": unit}, {"words": Unit("words", "// new\n")}, {"post-login": ("roles",)})
    there = Remote({"roles": replace(THERE, deployed=True)}, {"words": words()}, {})
    refuse_hurdles(local, there, plan(local, there), prune=False)


NAMES = st.text(st.sampled_from("abcA /.ü-"), min_size=1, max_size=8)
UNITS = st.builds(
    RemoteUnit,
    id=st.uuids().map(str),
    name=NAMES,
    code=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40),
    trigger=st.sampled_from(["post-login", "credentials-exchange"]),
    runtime=st.sampled_from(["node22", "python3", "node18-actions"]),
    dependencies=st.dictionaries(st.sampled_from(["axios", "@a/b"]), st.sampled_from(["1.0.0", "2"])),
    secrets=st.lists(st.sampled_from(["A", "B"]), unique=True).map(lambda found: tuple(sorted(found))),
    modules=st.dictionaries(st.sampled_from(["log"]), st.integers(1, 9)),
    current=st.booleans(),
)


@given(st.lists(UNITS, max_size=4, unique_by=lambda unit: unit.name), st.booleans())
def test_what_was_pulled_needs_no_push(units: list[RemoteUnit], bound: bool) -> None:
    import tempfile

    names = tuple(unit.name for unit in units if unit.trigger == "post-login") if bound else ()
    there = Remote({unit.name: unit for unit in units}, {}, {"post-login": names})
    with tempfile.TemporaryDirectory() as name:
        pull(there, Path(name), force=False)
        assert make_plan(Project.read(Path(name)), there, {}, prune=True) == ()
