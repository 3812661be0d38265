"""Classes: inheritance, special methods, dataclasses, enums, protocols."""

from __future__ import annotations

import pytest

from tests.policy.check import Policy


def test_inheritance_and_super(policy: Policy) -> None:
    """It allows inheritance, super() and its special methods."""
    source = """
        class Base:
            def __init__(self, name):
                self.name = name
            def hello(self):
                return f"I am {self.name}"
        class Child(Base):
            def __init__(self, name, age):
                super().__init__(name)
                self.age = age
            def hello(self):
                return super().hello() + f", {self.age}"
        print(Child("a", 3).hello(), isinstance(Child("b", 1), Base), issubclass(Child, Base))
    """
    assert policy.prints(source) == ["I am a, 3 True True"]


def test_special_methods(policy: Policy) -> None:
    """It allows the special methods that give a class operators, iteration, calls and contexts."""
    source = """
        class Money:
            __slots__ = ("cents",)
            def __init__(self, cents): self.cents = cents
            def __add__(self, other): return Money(self.cents + other.cents)
            def __eq__(self, other): return self.cents == other.cents
            def __lt__(self, other): return self.cents < other.cents
            def __hash__(self): return hash(self.cents)
            def __repr__(self): return f"Money({self.cents})"
            def __bool__(self): return self.cents != 0
            def __iter__(self): return iter(str(self.cents))
            def __len__(self): return 2
            def __getitem__(self, i): return i
            def __contains__(self, x): return True
            def __call__(self): return "called"
            def __enter__(self): return self
            def __exit__(self, *error): return True
            def __format__(self, spec): return "formatted"
            def __getattr__(self, name): return name
        m = Money(1) + Money(2)
        with m as inner:
            raise ValueError
        print(m, m == Money(3), m < Money(4), bool(Money(0)), list(m), m[5], 1 in m, m(), f"{m}", m.xyz)
    """
    expected = "Money(3) True True False ['3'] 5 True called formatted xyz"
    assert policy.prints(source) == [expected]


@pytest.mark.parametrize(
    "name",
    ["__getattribute__", "__setattr__", "__delattr__", "__del__", "__reduce__", "__class__", "__prepare__"],
)
def test_special_methods_that_change_the_language(policy: Policy, name: str) -> None:
    """It denies special methods that change how attributes, finalisers or copies work."""
    line, column, message = policy.refused(f"class A:\n    def {name}(self): pass")
    assert (line, column) == (2, 5)
    assert message.startswith(f"The name '{name}' is not available to Actions")


def test_metaclasses(policy: Policy) -> None:
    """It denies the keyword `metaclass`, and says what to inherit from."""
    expected = (
        "The keyword 'metaclass' is not available to Actions; inherit from abc.ABC or enum.Enum instead."
    )
    assert policy.refused("class M: pass\nclass A(metaclass=M): pass") == (2, 9, expected)


def test_type_makes_no_classes(policy: Policy) -> None:
    """It allows `type` with one argument only."""
    source = """
        try:
            type("A", (), {})
        except TypeError as error:
            print(error)
        print(type(1) is int, isinstance(int, type))
    """
    assert policy.prints(source) == [
        "type() takes one argument in Actions; use a class statement",
        "True True",
    ]


def test_dataclasses(policy: Policy) -> None:
    """It allows dataclasses with defaults, order, slots, post-init and annotations as text."""
    source = """
        from __future__ import annotations
        from dataclasses import dataclass, field, asdict, replace
        @dataclass(frozen=True, order=True, slots=True)
        class User:
            name: str
            roles: list[str] = field(default_factory=list)
        @dataclass
        class Square:
            side: int
            area: int = 0
            def __post_init__(self):
                self.area = self.side ** 2
        u = replace(User("a"), name="b")
        print(u, asdict(u), User("a") < u, Square(3).area)
    """
    assert policy.prints(source) == ["User(name='b', roles=[]) {'name': 'b', 'roles': []} True 9"]


def test_enums(policy: Policy) -> None:
    """It allows enumerations."""
    source = """
        from enum import Enum, IntEnum, StrEnum, Flag, auto
        class Colour(Enum):
            RED = 1
            BLUE = auto()
        class Level(StrEnum):
            HIGH = "high"
        print(Colour.BLUE, Colour(1).name, Level.HIGH == "high", list(Colour))
    """
    assert policy.prints(source) == ["Colour.BLUE RED True [<Colour.RED: 1>, <Colour.BLUE: 2>]"]


def test_abstract_classes_protocols_and_typed_tuples(policy: Policy) -> None:
    """It allows abc.ABC, Protocol, NamedTuple and TypedDict."""
    source = """
        from abc import ABC, abstractmethod
        from typing import NamedTuple, Protocol, TypedDict
        class Shape(ABC):
            @abstractmethod
            def area(self): ...
        class Named(Protocol):
            name: str
        class Point(NamedTuple):
            x: int
            y: int = 0
        class Options(TypedDict, total=False):
            a: int
        try:
            Shape()
        except TypeError as error:
            print("abstract" in str(error), Point(1), Options(a=1))
    """
    assert policy.prints(source) == ["True Point(x=1, y=0) {'a': 1}"]


def test_properties_and_methods_of_classes(policy: Policy) -> None:
    """It allows property, setter, classmethod, staticmethod and cached_property."""
    source = """
        from functools import cached_property
        class A:
            def __init__(self): self._x = 1
            @property
            def x(self): return self._x
            @x.setter
            def x(self, value): self._x = value
            @classmethod
            def make(cls): return cls()
            @staticmethod
            def twice(n): return 2 * n
            @cached_property
            def slow(self): return "once"
        a = A.make()
        a.x = 5
        print(a.x, A.twice(2), a.slow)
    """
    assert policy.prints(source) == ["5 4 once"]


def test_classes_made_by_the_library(policy: Policy) -> None:
    """It allows what a class statement could define, however the class is made."""
    source = """
        import dataclasses, enum, functools, operator, typing
        def area(self): return self.a * self.b
        made = dataclasses.make_dataclass(
            "Made", ["a", ("b", int), ("c", list, dataclasses.field(default_factory=list))],
            namespace={"area": area, "__len__": lambda self: 7, "_own": 1}, frozen=True)
        print(made(2, 3), made(2, 3).area(), len(made(1, 1)), [f.name for f in dataclasses.fields(made)])
        @dataclasses.dataclass(slots=True, order=True)
        class Row:
            format: str
            size: int = 1
        match Row("pdf", 2):
            case Row(size=2) as row: print(row.format)
        print(Row("a") < Row("b"), dataclasses.replace(Row("a"), size=3))
        print(isinstance(dataclasses.field(), dataclasses.Field))
        print(enum.Enum("Level", "LOW HIGH").HIGH, enum.IntEnum("N", {"ONE": 1})(1).name)
        class Point:
            __match_args__ = ("x", "y")
            def __init__(self, x, y): self.x, self.y = x, y
        match Point(1, 2):
            case Point(x, y): print(x, y)
        @functools.wraps(area)
        def wrapped(self): return 1
        print(wrapped.__name__, wrapped.__doc__, operator.attrgetter("a", "b")(made(1, 2)))
        print(typing.get_origin(list[int]), type(int) is type, isinstance(int, type), type[int])
        print(isinstance(int, type | None), isinstance(None, type | None))
        print("{0.a}{1[k]:>3}".format(made(1, 2), {"k": 5}), type(3).__name__, type(Row).__name__)
    """
    assert policy.prints(source) == [
        "Made(a=2, b=3, c=[]) 6 7 ['a', 'b', 'c']",
        "pdf",
        "True Row(format='a', size=3)",
        "True",
        "Level.HIGH ONE",
        "1 2",
        "area None (1, 2)",
        "<class 'list'> True True type[int]",
        "True True",
        "1  5 int type",
    ]
