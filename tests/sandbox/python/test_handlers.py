"""Which functions are handlers, and what is said of those that are not."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import pytest

from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError, FailureCode
from sandbox.egress.none import NoEgress
from sandbox.port.live import LivePort
from tests.sandbox.ports import FakeApi
from tests.sandbox.python.actions import Runner


@pytest.mark.parametrize(
    "source",
    [
        "async def on_execute_post_login(event, api): print('ran')",
        "def on_execute_post_login(event, api): print('ran')",
        "async def onExecutePostLogin(event, api): print('ran')",
        "async def on_execute_post_login(event): print('ran')",
        "async def on_execute_post_login(*args): print('ran', end='') or print()",
        "def on_execute_post_login(event, api=None, *, more=1): print('ran')",
        "async def work(event, api): print('ran')\non_execute_post_login = work",
        "on_execute_post_login = lambda event, api: print('ran')",
        "class A:\n    async def __call__(self, event, api): print('ran')\non_execute_post_login = A()",
        "class A:\n    def run(self, event, api): print('ran')\non_execute_post_login = A().run",
        "async def work(): print('ran')\ndef on_execute_post_login(event, api): return work()",
        "import functools\ndef f(x, event, api): print('ran')\non_execute_post_login = functools.partial(f, 1)",
    ],
)
def test_what_runs(runner: Runner, source: str) -> None:
    result = runner.run(source)
    assert result.failure is None, result.failure
    assert [line.text for line in result.logs] == ["ran"]


def test_a_misspelt_handler_names_the_nearest(runner: Runner) -> None:
    result = runner.run(
        "async def on_execute_post_logn(event, api): pass\ndef _x(): pass\ndef helper(): pass"
    )
    assert result.failure is not None
    assert result.failure.code is FailureCode.HANDLER
    assert result.failure.message == (
        "The Action defines no function 'on_execute_post_login'; rename 'on_execute_post_logn' to it."
        " It defines: on_execute_post_logn, helper."
    )
    assert result.failure.detail == {
        "nearest": "on_execute_post_logn",
        "defined": "on_execute_post_logn, helper",
    }


def test_the_other_handler_of_an_action_is_no_misspelling(runner: Runner) -> None:
    result = runner.run("async def on_continue_post_login(event, api): pass")
    assert result.failure is not None
    assert result.failure.message == (
        "The Action defines no function 'on_execute_post_login'. It defines: on_continue_post_login."
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1", "The Action defines no function 'on_execute_post_login'. It defines no function at all."),
        ("on_execute_post_login = 5", "'on_execute_post_login' is not a function."),
        (
            "def on_execute_post_login(): pass",
            "The handler takes no argument; write (event, api) or (event).",
        ),
        (
            "def on_execute_post_login(a, b, c): pass",
            "The handler wants more than (event, api), which is all that it is given.",
        ),
        (
            "def on_execute_post_login(a, b, *, c): pass",
            "The handler wants more than (event, api), which is all that it is given.",
        ),
    ],
)
def test_what_is_no_handler(runner: Runner, source: str, message: str) -> None:
    result = runner.run(source)
    assert result.failure is not None
    assert (result.failure.code, result.failure.message) == (FailureCode.HANDLER, message)


@pytest.mark.parametrize(
    "source",
    [
        "def on_execute_post_login(event, api):\n    api.access.deny('x')\n    yield 1",
        "async def on_execute_post_login(event, api):\n    api.access.deny('x')\n    yield 1",
        "def work():\n    yield 1\ndef on_execute_post_login(event, api):\n    return work()",
    ],
)
def test_a_generator_never_passes_for_a_run(runner: Runner, source: str) -> None:
    result = runner.run(source)
    assert result.failure is not None
    assert result.failure.code is FailureCode.HANDLER
    assert "generator" in result.failure.message
    assert result.commands == ()


def test_continue_handlers_are_found_by_their_name(runner: Runner) -> None:
    source = "async def on_continue_post_login(event, api): print('continued')"
    result = runner.run(source, handler="onContinuePostLogin")
    assert [line.text for line in result.logs] == ["continued"]


def test_exports_lists_public_functions_without_running(runner: Runner) -> None:
    program = runner.build("def b(): pass\nasync def a(): pass\ndef _c(): pass\nclass D: pass\nx = lambda: 1")
    assert program.exports == ("b", "a")


def exports(runner: Runner, source: str) -> tuple[str, ...]:
    port = LivePort(FakeApi(), NoEgress(), Limits())
    return runner.engine.exports(runner.build(source), Limits(wall_ms=60_000), port)


def test_exports_by_running_the_top_level(runner: Runner) -> None:
    source = "import json, uuid\nprint(uuid.uuid4())\ndef b(): pass\nif True:\n    def a(): pass\nc = json.dumps\n_d = b"
    assert exports(runner, source) == ("b", "a")


def test_exports_of_a_top_level_that_fails(runner: Runner) -> None:
    with pytest.raises(BuildError) as caught:
        exports(runner, "def a(): pass\nraise ValueError('top')")
    assert caught.value.failure.code is FailureCode.THROW
    assert caught.value.failure.place is not None
    assert caught.value.failure.place.line == 2


def test_a_top_level_that_fails_fails_the_run(runner: Runner) -> None:
    result = runner.run("def on_execute_post_login(event, api): pass\n1 / 0")
    assert result.failure is not None
    assert (result.failure.code, result.failure.error_name) == (FailureCode.THROW, "ZeroDivisionError")
    assert result.failure.place is not None
    assert (result.failure.place.line, result.failure.place.column) == (2, 1)


def test_top_level_code_runs_in_each_execution(runner: Runner) -> None:
    program = runner.build(
        "n = []\ndef on_execute_post_login(event, api):\n    n.append(1)\n    print(len(n))\n"
    )
    for _ in range(2):
        result = runner.start(program, {}, Limits())
        assert [line.text for line in result.logs] == ["1"]
