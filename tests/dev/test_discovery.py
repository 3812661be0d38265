"""What a folder's files are for, with a manifest and without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.dev.discovery import Discovery
from runner.dev.folder import Folder

LOGIN = "exports.onExecutePostLogin = async (event, api) => {};\n"
REGISTRATION = "async def on_execute_pre_user_registration(event, api):\n    pass\n"


def put(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(text)


def test_handlers_tell_what_files_are_for(tmp_path: Path) -> None:
    put(tmp_path, "roles.js", LOGIN)
    put(tmp_path, "audit.js", LOGIN)
    put(tmp_path, "sub/welcome.py", REGISTRATION)
    put(tmp_path, "webpack.config.js", "module.exports = {};\n")
    found = Discovery(Folder(tmp_path)).look()
    units = {name: (unit.trigger, unit.file, unit.runtime) for name, unit in found.project.actions.items()}
    assert units == {
        "audit": ("post-login", "audit.js", "node22"),
        "roles": ("post-login", "roles.js", "node22"),
        "welcome": ("pre-user-registration", "sub/welcome.py", "python3"),
    }
    assert found.project.bindings == {
        "post-login": ("audit", "roles"),
        "pre-user-registration": ("welcome",),
    }
    assert found.troubles == ()


def test_two_files_of_one_name_have_names_of_their_own(tmp_path: Path) -> None:
    put(tmp_path, "roles.js", LOGIN)
    put(tmp_path, "old/roles.js", LOGIN)
    found = Discovery(Folder(tmp_path)).look()
    assert sorted(found.project.actions) == ["old-roles-js", "roles-js"]


def test_a_mistake_has_its_place_and_keeps_no_other_file_from_being_used(tmp_path: Path) -> None:
    put(tmp_path, "bad.js", "exports.onExecutePostLogin = async (event, api) => {\n  const = 1;\n};\n")
    put(tmp_path, "good.js", LOGIN)
    found = Discovery(Folder(tmp_path)).look()
    assert sorted(found.project.actions) == ["bad", "good"]
    (trouble,) = found.troubles
    assert (trouble.file, trouble.line) == ("bad.js", 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exports.onExecutePostlogin = () => {}; // onExecutePostLogin\n", "did you mean onExecutePostLogin"),
        (LOGIN + LOGIN.replace("PostLogin", "PreUserRegistration"), "handlers of several triggers"),
    ],
)
def test_files_that_are_for_nothing_certain(tmp_path: Path, text: str, message: str) -> None:
    put(tmp_path, "odd.js", text)
    found = Discovery(Folder(tmp_path)).look()
    assert found.project.actions == {}
    assert message in found.troubles[0].message


def test_typescript_goes_to_the_service_as_javascript(tmp_path: Path) -> None:
    put(
        tmp_path,
        "typed.ts",
        "export const onExecutePostLogin = async (event: object, api: any): Promise<void> => {};\n",
    )
    found = Discovery(Folder(tmp_path)).look()
    unit = found.project.actions["typed"]
    assert "Promise<void>" not in unit.code
    assert "onExecutePostLogin" in unit.code
    assert found.compiled == {"typed"}


def test_packages_and_modules_come_from_what_stands_beside_a_file(tmp_path: Path) -> None:
    put(
        tmp_path,
        "uses.js",
        "const axios = require('axios');\nconst g = require('actions:greeter');\n" + LOGIN,
    )
    put(tmp_path, "plain.js", LOGIN)
    put(tmp_path, "greeter.js", "exports.greet = () => 'hi';\n")
    manifest = {
        "dependencies": {"axios": "1.7.2", "unused": "1.0.0"},
        "actionbox": {"modules": {"greeter": "greeter.js"}},
    }
    put(tmp_path, "package.json", json.dumps(manifest))
    found = Discovery(Folder(tmp_path)).look()
    uses = found.project.actions["uses"]
    assert (uses.dependencies, uses.modules) == ({"axios": "1.7.2"}, {"greeter": "latest"})
    assert found.project.actions["plain"].dependencies == {}
    assert found.project.modules["greeter"].code == "exports.greet = () => 'hi';\n"


def test_a_manifest_says_what_is_here(tmp_path: Path) -> None:
    put(tmp_path, "roles.js", LOGIN)
    put(tmp_path, "not-named.js", LOGIN)
    put(
        tmp_path,
        "actionbox.yaml",
        "actions:\n  add-roles: {file: roles.js, trigger: post-login}\n"
        "  gone: {file: gone.js, trigger: post-login}\nbindings: {post-login: [add-roles]}\n",
    )
    found = Discovery(Folder(tmp_path)).look()
    assert found.manifest
    assert list(found.project.actions) == ["add-roles"]
    assert found.project.bindings == {"post-login": ("add-roles",)}
    assert [trouble.file for trouble in found.troubles] == ["gone.js"]


@pytest.mark.parametrize(
    "text",
    [
        "actions: [",
        "actions: {a: {file: a.js, trigger: none}}",
        "other: 1",
        "actions: {a: {file: ../a.js, trigger: post-login}}",
    ],
)
def test_a_manifest_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    put(tmp_path, "actionbox.yaml", text)
    found = Discovery(Folder(tmp_path)).look()
    assert found.project.actions == {}
    assert found.troubles
