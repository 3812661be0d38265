"""Errors in the guest beside those of the Node that comes with us."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandbox.core.failure import FailureCode
from sandbox.javascript import toolchain
from tests.sandbox.javascript.conftest import Run

HERE = Path(__file__).parent
KNOWN: dict[str, dict[str, str]] = json.loads((HERE / "known.json").read_text())
"""By program: what the guest says where Node says something else. Shorten it when one is mended."""
TELL = "for (const one of Object.entries(exports.messages())) console.log(JSON.stringify(one));"


def in_node(program: Path) -> dict[str, Any]:
    script = f"console.log(JSON.stringify(require({json.dumps(str(program))}).messages()))"
    ran = subprocess.run([str(toolchain.node()), "-e", script], capture_output=True, timeout=60, check=True)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


@pytest.mark.parametrize("name", ["places", "expressions", "classes", "misuse"])
def test_the_guest_says_what_node_says(succeed: Run, name: str) -> None:
    program = HERE / f"{name}.js"
    text = program.read_text() + f"exports.onExecutePostLogin = () => {{ {TELL} }};"
    ours = dict(json.loads(line) for line in succeed(text).log if line.startswith("["))
    node = in_node(program)
    assert set(ours) == set(node)
    assert {key: ours[key] for key in node if node[key] != ours[key]} == KNOWN[name]


OLD_STYLE = """
const util = require('util');
function Refused(message) {
  Error.call(this, message);
  Error.captureStackTrace(this, this.constructor);
  this.name = 'Refused';
  this.message = message;
  this.code = 'E_REFUSED';
}
%s
const refuse = (message) => { throw new Refused(message); };
exports.onExecutePostLogin = async (event, api) => {
  %s
};
"""
NO_CONSTRUCTOR = "Refused.prototype = Object.create(Error.prototype);"
PROTOTYPES = [
    NO_CONSTRUCTOR + " Refused.prototype.constructor = Refused;",
    "util.inherits(Refused, Error);",
    "Refused.prototype = new Error(); Refused.prototype.constructor = Refused;",
    "Object.setPrototypeOf(Refused.prototype, TypeError.prototype);",
]


@pytest.mark.parametrize("prototype", PROTOTYPES)
def test_an_error_of_a_class_in_the_old_style_is_told_whole(run: Run, prototype: str) -> None:
    text = OLD_STYLE % (prototype, "refuse('no luck');")
    failure = run(text).failure
    assert (failure.code, failure.error_name, failure.message) == (FailureCode.THROW, "Refused", "no luck")
    assert failure.detail["code"] == "E_REFUSED"
    assert failure.place is not None
    assert failure.place.excerpt == "const refuse = (message) => { throw new Refused(message); };"
    assert failure.place.column == failure.place.excerpt.index("new Refused") + 1
    assert [frame.function for frame in failure.stack] == ["refuse", "<anonymous>"]


def test_an_old_error_without_a_constructor_of_its_own_has_a_place(run: Run) -> None:
    """Its stack is captured below `Error`, which did not run: Node then gives no frame at all."""
    body = "try { refuse('luck') } catch (e) { console.log(e.stack.split('\\n')[0]) } refuse('no luck');"
    ran = run(OLD_STYLE % (NO_CONSTRUCTOR, body))
    assert ran.log == ["Refused: luck"]
    assert (ran.failure.error_name, ran.failure.message) == ("Refused", "no luck")
    assert [frame.function for frame in ran.failure.stack] == ["Refused", "refuse", "<anonymous>"]


def test_an_old_error_as_a_cause_and_among_others(run: Run) -> None:
    text = OLD_STYLE % (PROTOTYPES[0], "throw new Error('outer', { cause: new Refused('inner') });")
    assert run(text).failure.detail["cause"] == "Refused: inner"
    logged = OLD_STYLE % (
        PROTOTYPES[0],
        "console.error(new AggregateError([new Refused('one')], 'many').errors[0].stack.split('\\n')[0]);"
        "console.log(new Refused('two'));",
    )
    first, second = run(logged).log
    assert first == "Refused: one"
    assert second.splitlines()[0] == "Refused: two"
    assert second.splitlines()[-2:] == ["  code: 'E_REFUSED'", "}"]


def test_what_only_claims_to_be_an_error_is_none(run: Run) -> None:
    failure = run(OLD_STYLE % ("", "throw { name: 'Refused', message: 'no', stack: 'forged' };")).failure
    assert failure.error_name is None
    assert failure.message.startswith("{")


def test_a_stack_is_made_when_it_is_first_read(succeed: Run) -> None:
    body = (
        "const e = new Error('a'); e.name = 'B'; e.message = 'b'; const first = e.stack; e.message = 'c';"
        "console.log(first.split('\\n')[0], e.stack === first, Object.hasOwn(e, 'stack'));"
    )
    assert succeed(OLD_STYLE % ("", body)).log == ["B: b true true"]
