"""Names that Actions may read and bind."""

from __future__ import annotations

import pytest

from tests.policy.check import Policy

OWN = "names with two underscores at both ends are Python's own"


def test_underscore_names(policy: Policy) -> None:
    """It allows names with a leading underscore, for helpers and for values not used."""
    source = """
        _LIMIT = 3
        def _helper(value, _unused=None):
            return value + _LIMIT
        for _ in range(1):
            print(_helper(1), _)
        __private = 5
        print(__private)
    """
    assert policy.prints(source) == ["4 0", "5"]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("exec", "write the code as part of the Action"),
        ("eval", "write the expression as part of the Action; json.loads() reads data"),
        ("compile", "write the code as part of the Action; re.compile() makes patterns"),
        ("open", "Actions have no files; what they know is in event and its secrets"),
        ("input", "Actions have no terminal; what they know is in event"),
        ("globals", "name the variable itself"),
        ("locals", "name the variable itself"),
        ("vars", "use dataclasses.asdict(), or keep a dict"),
        ("breakpoint", "use print() or console.log()"),
        ("exit", "use return, or raise an exception to fail"),
        ("__import__", "use an import statement"),
        ("__builtins__", "builtins are available by their names"),
    ],
)
def test_builtins_that_reach_out(policy: Policy, name: str, remedy: str) -> None:
    """It denies builtins that make code or reach out of the Action, and says what to do instead."""
    assert policy.refused(f"x = 1\ny = {name}('x')") == (
        2,
        5,
        f"'{name}' is not available to Actions; {remedy}.",
    )


def test_own_variables_of_those_names(policy: Policy) -> None:
    """It allows a variable or parameter that happens to be called like such a builtin."""
    assert policy.prints("input = {'a': 1}\ndef f(vars): return vars\nprint(input['a'], f(2))") == ["1 2"]


@pytest.mark.parametrize(
    "name", ["__class__", "__loader__", "__spec__", "__dict__", "__build_class__", "__debug_"]
)
def test_special_names(policy: Policy, name: str) -> None:
    """It denies reading names with two underscores at both ends, which are Python's own."""
    if not name.endswith("__"):
        assert policy.prints(f"{name} = 1\nprint({name})") == ["1"]
        return
    assert policy.refused(f"print({name})") == (
        1,
        7,
        f"The name '{name}' is not available to Actions; {OWN}.",
    )


@pytest.mark.parametrize(
    "source",
    [
        "__import__ = 1",
        "def __getattr__(name): pass",
        "class __X__: pass",
        "import json as __json__",
        "from json import loads as __loads__",
        "def f(__x__): pass",
        "lambda __x__: 1",
        "for __x__ in (): pass",
        "[1 for __x__ in ()]",
        "(__x__ := 1)",
        "try: pass\nexcept ValueError as __e__: pass",
        "with a as __x__: pass",
        "def f():\n    global __x__",
        "match 1:\n    case __x__: pass",
        "match 1:\n    case [*__x__]: pass",
        "match 1:\n    case {**__x__}: pass",
        "del __x__",
        "f(__x__=1)",
        "type __X__ = int",
        "def f[__T__](): pass",
    ],
)
def test_binding_special_names(policy: Policy, source: str) -> None:
    """It denies binding them, whatever the construct."""
    _, _, message = policy.refused(source)
    assert (
        message.endswith("is not available to Actions; " + OWN + ".") or "use an import statement" in message
    )


def test_module_names(policy: Policy) -> None:
    """It allows the names that modules are described with, and `__name__` to keep trial code out."""
    source = """
        __all__ = ["f"]
        __version__ = "1"
        if __name__ == "__main__":
            print("trial")
        print(__name__)
    """
    assert policy.prints(source) == ["action"]


def test_compatibility_characters(policy: Policy) -> None:
    """It denies special names in any spelling that Python takes for them."""
    line, column, message = policy.refused("x = 1\nx.__ｄict__")
    assert (line, column) == (2, 1)
    assert "'__dict__'" in message


def test_columns_count_characters(policy: Policy) -> None:
    """It names the place in characters, not in bytes."""
    assert policy.refused("x = 'äöü€'; open('x')")[:2] == (1, 13)
