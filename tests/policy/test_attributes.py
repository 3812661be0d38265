"""Attributes that Actions may read and write."""

from __future__ import annotations

import pytest

from tests.policy.check import Policy


@pytest.mark.parametrize(
    ("expression", "column", "name", "remedy"),
    [
        ("().__dict__", 1, "__dict__", "use dataclasses.asdict(), or keep a dict"),
        ("x.__dict__", 1, "__dict__", "use dataclasses.asdict(), or keep a dict"),
        ("x.y.__globals__", 1, "__globals__", "names with two underscores at both ends are Python's own"),
        (
            "x.__subclasses__()",
            1,
            "__subclasses__",
            "names with two underscores at both ends are Python's own",
        ),
        ("x.__init__()", 1, "__init__", "names with two underscores at both ends are Python's own"),
        ("x._private", 1, "_private", "use a name without the underscore"),
        ("x.__private", 1, "__private", "use a name without the underscore"),
        ("f(x._y)", 3, "_y", "use a name without the underscore"),
    ],
)
def test_private_attributes(policy: Policy, expression: str, column: int, name: str, remedy: str) -> None:
    """It denies reading attributes with a leading underscore, and says what to do instead."""
    expected = f"The attribute '{name}' is not available to Actions; {remedy}."
    assert policy.refused(f"x = f = 1\n{expression}") == (2, column, expected)


@pytest.mark.parametrize(
    "source",
    ["x._y = 1", "del x._y", "x._y += 1", "x._y: int = 1", "for x._y in (): pass", "(x._y, z) = 1, 2"],
)
def test_writing_private_attributes(policy: Policy, source: str) -> None:
    """It denies writing and deleting them."""
    assert "The attribute '_y' is not available" in policy.refused("x = 1\n" + source)[2]


@pytest.mark.parametrize(
    "name",
    [
        "gi_frame",
        "gi_code",
        "gi_yieldfrom",
        "cr_frame",
        "cr_code",
        "cr_await",
        "cr_origin",
        "ag_frame",
        "ag_code",
        "ag_await",
        "f_back",
        "f_globals",
        "f_builtins",
        "f_locals",
        "f_code",
        "f_generator",
        "f_trace",
        "tb_frame",
        "tb_next",
        "co_code",
    ],
)
def test_frames(policy: Policy, name: str) -> None:
    """It denies the attributes that lead to frames and code objects."""
    expected = (
        f"The attribute '{name}' is not available to Actions; frames and code objects are Python's own."
    )
    assert policy.refused(f"x = 1\nx.{name}") == (2, 1, expected)


def test_own_private_attributes(policy: Policy) -> None:
    """It allows an object its own private attributes, through the first parameter of its methods."""
    source = """
        class Counter:
            def __init__(self):
                self._n = 0
                self.__hidden = 7
            def up(this):
                this._n += 1
                return [this._n for _ in range(1)][0] + (lambda: this._n)()
            def hidden(self):
                def inner():
                    return self.__hidden
                return inner()
        c = Counter()
        print(c.up(), c.hidden())
    """
    assert policy.prints(source) == ["2 7"]


def test_other_objects_private_attributes(policy: Policy) -> None:
    """It denies private attributes of other objects that no class of the source declares."""
    source = "class A:\n    def f(self, other):\n        return other._n"
    assert policy.refused(source)[:2] == (3, 16)


def test_declared_private_attributes(policy: Policy) -> None:
    """It allows private attributes that a class of the source declares, on any object."""
    source = """
        class Amount:
            _unit = "EUR"
            def __init__(self, cents):
                self._cents = cents
            def __eq__(self, other):
                return self._cents == other._cents
            def _plus(self, other):
                return Amount(self._cents + other._cents)
        print(Amount(1) == Amount(1), Amount(1)._plus(Amount(2))._cents, Amount._unit)
    """
    assert policy.prints(source) == ["True 3 EUR"]


@pytest.mark.parametrize("name", ["__globals__", "gi_frame", "_loop", "__dict__"])
def test_undeclared_names_beside_declared_ones(policy: Policy, name: str) -> None:
    """A class cannot declare Python's own names, nor by setting them on something else."""
    source = f"class A:\n    def f(self, x):\n        self._a = x\n        x.{name} = 1"
    assert policy.refused(source)[:2] == (4, 9)


def test_names_of_types_and_functions(policy: Policy) -> None:
    """It allows attributes that only hold text: `__name__`, `__qualname__`, `__doc__`."""
    source = '''
        def f():
            """Says what f does."""
        try:
            raise KeyError("k")
        except KeyError as error:
            print(type(error).__name__, f.__doc__, f.__qualname__)
    '''
    assert policy.prints(source) == ["KeyError Says what f does. f"]


def test_writing_names_of_types(policy: Policy) -> None:
    """It denies writing them."""
    assert policy.refused("def f(): pass\nf.__name__ = 'g'")[:2] == (2, 1)


def test_public_attributes(policy: Policy) -> None:
    """It allows reading, writing and deleting public attributes."""
    source = """
        class A: pass
        a = A()
        a.x = 1
        a.x += 1
        print(a.x)
        del a.x
        print(hasattr(a, "x"))
    """
    assert policy.prints(source) == ["2", "False"]


def test_named_tuple_methods(policy: Policy) -> None:
    """It allows the public methods that named tuples spell with an underscore."""
    source = """
        from collections import namedtuple
        Point = namedtuple("Point", "x y")
        p = Point(1, 2)._replace(y=3)
        print(p, p._asdict(), Point._fields)
    """
    assert policy.prints(source) == ["Point(x=1, y=3) {'x': 1, 'y': 3} ('x', 'y')"]
