"""Values that Actions send to the host: documented conversions, or a typed error."""

# ruff: noqa: E501 - programs of one line

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.caps import Limits
from sandbox.core.failure import FailureCode
from tests.drawn import examples
from tests.sandbox.python.actions import Runner

IMPORTS = """
import collections, dataclasses, datetime, decimal, enum, fractions, types, uuid
@dataclasses.dataclass
class Point:
    x: int
    y: list
class Colour(enum.Enum):
    RED = "red"
class Level(enum.IntEnum):
    HIGH = 3
class Liar(str):
    def __str__(self): return "lie"
    def __repr__(self): return "lie"
    def __eq__(self, other): return True
    def __hash__(self): return 0
class LyingDict(dict):
    def items(self): return [("lie", 1)]
    def __iter__(self): return iter(["lie"])
    def keys(self): return ["lie"]
class LyingList(list):
    def __iter__(self): return iter(["lie"])
    def __len__(self): return 1
class LyingInt(int):
    def __repr__(self): return "lie"
    def __int__(self): return 99
"""


def sent(runner: Runner, expression: str) -> Any:
    """What the host receives for `expression`."""
    result = runner.run(
        f"{IMPORTS}\ndef on_execute_post_login(event, api):\n    api.user.set_app_metadata('v', {expression})\n"
    )
    assert result.failure is None, result.failure
    return result.commands[0].arguments[1]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("None", None),
        ("True", True),
        ("-1.5", -1.5),
        ("2 ** 60", 2**60),
        ("'é\\n\\0'", "é\n\0"),
        ("[1, (2, 'x'), {'k': None}]", [1, [2, "x"], {"k": None}]),
        ("float('nan')", None),
        ("[float('inf'), -float('inf')]", [None, None]),
        ("{3, 1, 2}", [1, 2, 3]),
        ("frozenset('ba')", ["a", "b"]),
        ("range(3)", [0, 1, 2]),
        ("collections.deque([1, 2])", [1, 2]),
        ("collections.OrderedDict(b=1, a=2)", {"b": 1, "a": 2}),
        ("collections.Counter('aab')", {"a": 2, "b": 1}),
        ("types.MappingProxyType({'a': 1})", {"a": 1}),
        ("{1: 'a', None: 'b', True: 'c', 1.5: 'd'}", {"1": "c", "null": "b", "1.5": "d"}),
        ("datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)", "2026-01-02T03:04:05+00:00"),
        ("datetime.date(2026, 1, 2)", "2026-01-02"),
        ("datetime.time(3, 4)", "03:04:00"),
        ("datetime.timedelta(minutes=1)", 60.0),
        ("uuid.UUID(int=1)", "00000000-0000-0000-0000-000000000001"),
        ("decimal.Decimal('10')", 10),
        ("decimal.Decimal('1.25')", 1.25),
        ("decimal.Decimal('NaN')", None),
        ("fractions.Fraction(4, 2)", 2),
        ("fractions.Fraction(1, 2)", 0.5),
        ("Colour.RED", "red"),
        ("{Colour.RED.value: Level.HIGH}", {"red": 3}),
        ("Point(1, [Point(2, [])])", {"x": 1, "y": [{"x": 2, "y": []}]}),
        ("event", {}),
    ],
)
def test_conversions(runner: Runner, expression: str, value: Any) -> None:
    assert sent(runner, expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("Liar('truth')", "truth"),
        ("{Liar('key'): Liar('value')}", {"key": "value"}),
        ("LyingDict(a=1)", {"a": 1}),
        ("LyingList([1, 2])", [1, 2]),
        ("[LyingInt(5)]", [5]),
    ],
)
def test_objects_that_lie_are_taken_for_what_they_hold(runner: Runner, expression: str, value: Any) -> None:
    assert sent(runner, expression) == value


def test_lone_surrogates_become_replacement_characters(runner: Runner) -> None:
    assert sent(runner, "['\\ud800', 'a\\udfffb', {'\\ud800': '\\U0001f600'}]") == ["�", "a�b", {"�": "😀"}]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("x = []; x.append(x)", "The value contains itself, so it has no JSON form."),
        ("x = {}; x['a'] = [x]", "The value contains itself, so it has no JSON form."),
        ("x = b'raw'", "A value of type bytes has no JSON form; use base64.b64encode(value).decode()."),
        ("x = print", "A value of type function has no JSON form."),
        ("x = object()", "A value of type object has no JSON form."),
        ("x = (i for i in ())", "A value of type generator has no JSON form."),
        ("x = {(1, 2): 3}", "A key of an object must be a string, not tuple."),
        ("x = 1j", "A value of type complex has no JSON form."),
    ],
)
def test_what_has_no_json_form_is_a_type_error(runner: Runner, lines: str, message: str) -> None:
    failure = runner.failure(f"{lines}\napi.user.set_app_metadata('v', x)")
    assert (failure.code, failure.error_name, failure.message) == (FailureCode.THROW, "TypeError", message)


@pytest.mark.parametrize(
    "lines",
    [
        "x = []\nfor _ in range(100): x = [x]",
        "x = 'x' * 5_000_000",
        "x = 1 << 20_000",
        "x = [1]\nfor _ in range(40): x = [x, x]",
        "x = {str(i): i for i in range(400_000)}",
    ],
)
def test_what_is_too_deep_or_too_large_is_an_output_failure(runner: Runner, lines: str) -> None:
    failure = runner.failure(f"{lines}\napi.user.set_app_metadata('v', x)")
    assert failure.code is FailureCode.OUTPUT, failure


def test_the_cap_of_the_host_holds_below_that_of_the_guest(runner: Runner) -> None:
    failure = runner.failure("api.user.set_app_metadata('v', 'x' * 300_000)")
    assert failure.code is FailureCode.OUTPUT
    assert failure.detail["limit"] == "api_argument_bytes"


def test_an_object_may_not_change_between_check_and_use(runner: Runner) -> None:
    lines = """
        class Moving(dict):
            n = 0
            def __getitem__(self, key):
                Moving.n += 1
                return Moving.n
        api.user.set_app_metadata("v", Moving(a="real"))
    """
    result = runner.body(lines)
    assert result.commands[0].arguments == ["v", {"a": "real"}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**200), 2**200) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@examples(30)
@given(value=JSON)
def test_json_round_trips_through_event_and_api(runner: Runner, value: Any) -> None:
    program = runner.build(
        "def on_execute_post_login(event, api):\n    api.user.set_app_metadata('v', event.v)\n"
    )
    result = runner.start(program, {"v": value}, Limits())
    assert result.failure is None, result.failure
    assert result.commands[0].arguments[1] == json.loads(json.dumps(value))
