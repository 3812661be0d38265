"""Errors that are made inside packages: they have a place and frames."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import sandbox
from sandbox.action_build import Build, Wanted, build_action
from sandbox.core.failure import Failure, FailureCode
from sandbox.core.program import Language, Request, Source
from sandbox.egress.none import NoEgress
from sandbox.packages.npm.folder import FolderOrigin
from sandbox.packages.npm.store import TarballStore
from sandbox.port.live import LivePort
from tests.sandbox.packages.npm.tarballs import Shelf
from tests.sandbox.ports import FakeApi

Fail = Callable[[str], Failure]
CODE = """
function Old(message) { Error.captureStackTrace(this, Old); this.name = 'Old'; this.message = message; }
require('util').inherits(Old, Error);
exports.read = function read(value) { return value.deep.er; };
exports.call = function call(value) { return value.nope(1); };
exports.refuse = function refuse() { throw new Old('no luck'); };
exports.later = async function later(value) { await null; return value.deep.er; };
exports.loop = function loop(n) { return n === 0 ? exports.read({}) : loop(n - 1); };
exports.silent = async function silent() {
  await null;
  throw Object.assign(new Error('x'), { stack: 'gone' });
};
"""


@pytest.fixture(scope="module")
def fail(tmp_path_factory: pytest.TempPathFactory) -> Fail:
    shelf = Shelf(tmp_path_factory.mktemp("npm") / "shelf")
    shelf.add("careless", code=CODE)
    store = TarballStore(tmp_path_factory.mktemp("npm") / "store")

    def build(text: str) -> Build:
        source = Source(Language.JAVASCRIPT, "action.js", text)
        return build_action(
            source, [Wanted("careless")], origin=lambda: FolderOrigin(shelf.folder), store=store
        )

    def run(statement: str) -> Failure:
        text = (
            "const careless = require('careless');\n"
            f"exports.onExecutePostLogin = async () => {{\n  {statement}\n}};"
        )
        made = build(text)
        assert made.program is not None, made.failure
        limits = sandbox.Limits(wall_ms=60_000)
        port = LivePort(FakeApi(), NoEgress(), limits)
        request = Request("onExecutePostLogin", "{}", json.dumps({}))
        failure = sandbox.run(made.program, request, limits, port).failure
        assert failure is not None
        return failure

    return run


@pytest.mark.parametrize(
    ("statement", "name", "message", "functions"),
    [
        (
            "careless.read({})",
            "TypeError",
            "Cannot read properties of undefined (reading 'er')",
            ["read", "<anonymous>"],
        ),
        ("careless.refuse()", "Old", "no luck", ["refuse", "<anonymous>"]),
        ("careless.loop(3)", "TypeError", "Cannot read properties of undefined (reading 'er')", None),
    ],
)
def test_the_place_is_the_actions_line_and_the_frames_begin_in_the_package(
    fail: Fail, statement: str, name: str, message: str, functions: list[str] | None
) -> None:
    failure = fail(f"{statement};")
    assert (failure.code, failure.error_name, failure.message) == (FailureCode.THROW, name, message)
    assert failure.place is not None
    assert (failure.place.file, failure.place.line) == ("action.js", 3)
    assert failure.place.column == failure.place.excerpt.index(statement.split(".")[1]) + 1
    if functions is not None:
        assert [frame.function for frame in failure.stack] == functions
    assert failure.stack[0].file != "action.js"
    assert failure.stack[-1].file == "action.js"


def test_what_a_package_does_later_has_a_place_in_the_package(fail: Fail) -> None:
    for statement in ("await careless.later({});", "await careless.silent();"):
        failure = fail(statement)
        assert failure.stack
        assert failure.place is not None
        assert failure.place.file == failure.stack[0].file != "action.js"
        assert failure.place.line >= 1
