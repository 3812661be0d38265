"""How uncaught exceptions of Python Actions are told."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import pytest

from sandbox.core.caps import MAX_ERROR_MESSAGE_BYTES, MAX_STACK_FRAMES
from sandbox.core.failure import FailureCode
from tests.sandbox.python.actions import Runner


def test_place_and_stack_in_the_tenants_source(runner: Runner) -> None:
    source = """\
import json

def inner(text):
    return "é" + json.loads(text)["x"]

class Helper:
    def outer(self, text):
        return inner(text)

async def on_execute_post_login(event, api):
    Helper().outer("[")
"""
    failure = runner.run(source).failure
    assert failure is not None
    assert (failure.code, failure.error_name) == (FailureCode.THROW, "JSONDecodeError")
    assert failure.place is not None
    assert (failure.place.file, failure.place.line, failure.place.column) == ("rule.py", 4, 18)
    assert failure.place.excerpt == '    return "é" + json.loads(text)["x"]'
    assert [(frame.function, frame.line, frame.column) for frame in failure.stack] == [
        ("inner", 4, 18),
        ("Helper.outer", 8, 16),
        ("on_execute_post_login", 11, 5),
    ]
    assert {frame.file for frame in failure.stack} == {"rule.py"}


def test_nothing_of_the_guest_shows(runner: Runner) -> None:
    failure = runner.failure("import asyncio\nawait asyncio.wait_for(asyncio.sleep(5), 0.01)")
    assert failure.error_name == "TimeoutError"
    text = repr(failure)
    assert "actionbox" not in text.replace("fault of actionbox", "")
    assert "/python" not in text


@pytest.mark.parametrize(
    ("raised", "name", "message"),
    [
        ("ValueError('no')", "ValueError", "no"),
        ("KeyError('k')", "KeyError", "'k'"),
        ("KeyboardInterrupt", "KeyboardInterrupt", "The error carries no message."),
        ("SystemExit(0)", "SystemExit", "0"),
        ("SystemExit", "SystemExit", "The error carries no message."),
        ("GeneratorExit('g')", "GeneratorExit", "g"),
        ("BaseException('b')", "BaseException", "b"),
        ("asyncio.CancelledError()", "CancelledError", "The error carries no message."),
        ("StopIteration('s')", "RuntimeError", "coroutine raised StopIteration"),
        ("ExceptionGroup('g', [ValueError(1), TypeError(2)])", "ExceptionGroup",
         "g (2 sub-exceptions)\n- ValueError: 1\n- TypeError: 2"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["async def", "def"])
def test_whatever_is_raised_is_a_failure(
    runner: Runner, raised: str, name: str, message: str, kind: str
) -> None:
    source = f"import asyncio\n{kind} on_execute_post_login(event, api):\n    api.access.deny('x')\n    raise {raised}\n"
    result = runner.run(source)
    assert result.failure is not None
    assert result.failure.code is FailureCode.THROW
    if kind == "async def" or name != "RuntimeError":
        assert (result.failure.error_name, result.failure.message) == (name, message)
    assert result.commands == ()


def test_exceptions_whose_text_cannot_be_had(runner: Runner) -> None:
    lines = """
        class Odd(Exception):
            def __str__(self):
                raise SystemExit(0)
            __repr__ = __str__
        raise Odd
    """
    failure = runner.failure(lines)
    assert (failure.error_name, failure.message) == ("Odd", "<its text could not be made: SystemExit>")


def test_texts_that_are_no_plain_strings(runner: Runner) -> None:
    lines = """
        class Text(str):
            def __str__(self): raise ValueError
            def encode(self, *a): raise ValueError
            def __len__(self): return -1
        class Odd(Exception):
            def __str__(self): return Text("real\\ud800")
        raise Odd
    """
    assert runner.failure(lines).message == "real�"


def test_exceptions_that_lie_about_themselves(runner: Runner) -> None:
    lines = """
        class Odd(ExceptionGroup):
            @property
            def exceptions(self): raise ValueError
            def __getattr__(self, name): raise SystemExit
        Odd.__name__
        raise Odd("g", [ValueError(1)])
    """
    failure = runner.failure(lines)
    assert (failure.code, failure.error_name) == (FailureCode.THROW, "Odd")


def test_long_messages_are_cut(runner: Runner) -> None:
    failure = runner.failure("raise ValueError('é' * 1_000_000)")
    assert failure.message.endswith("bytes more")
    assert len(failure.message.encode()) < MAX_ERROR_MESSAGE_BYTES + 100


def test_causes_and_notes(runner: Runner) -> None:
    lines = """
        try:
            try:
                {}["k"]
            except KeyError as error:
                raise ValueError("bad") from error
        except ValueError:
            final = RuntimeError("final")
            final.add_note("look here")
            raise final
    """
    failure = runner.failure(lines)
    assert failure.message == "final\nlook here"
    assert failure.detail["caused_by"] == "ValueError: bad\nKeyError: 'k'"


def test_causes_that_go_round(runner: Runner) -> None:
    lines = "a, b = ValueError('a'), ValueError('b')\ntry:\n    raise a from b\nexcept ValueError:\n    raise b from a"
    assert runner.failure(lines).code is FailureCode.THROW


def test_deep_groups_and_long_chains(runner: Runner) -> None:
    lines = """
        e = ValueError(0)
        for i in range(20_000):
            e = ExceptionGroup("g", [e])
        raise e
    """
    assert runner.failure(lines).error_name == "ExceptionGroup"
    lines = """
        e = None
        for i in range(20_000):
            try:
                raise ValueError(i) from e
            except ValueError as caught:
                e = caught
        raise e
    """
    failure = runner.failure(lines)
    assert failure.detail["caused_by"].count("\n") == 4


def test_recursion(runner: Runner) -> None:
    failure = runner.failure("def f(n):\n    return f(n + 1)\nf(0)")
    assert (failure.code, failure.error_name) == (FailureCode.STACK, "RecursionError")
    assert len(failure.stack) == MAX_STACK_FRAMES
    assert failure.place is not None
    assert failure.place.line == 3


def test_recursion_can_be_caught(runner: Runner) -> None:
    lines = "def f(n):\n    return f(n + 1)\ntry:\n    f(0)\nexcept RecursionError:\n    print('caught')"
    assert runner.printed(lines) == ["caught"]


def test_format_exc(runner: Runner) -> None:
    lines = "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    print(traceback.format_exc())"
    text = runner.printed(lines)[0]
    assert text.startswith(
        'Traceback (most recent call last):\n  File "rule.py", line 4, in on_execute_post_login'
    )
    assert text.endswith("ZeroDivisionError: division by zero\n")
