"""Assignments, loops, with, assert, del and f-strings."""

from __future__ import annotations

import pytest

from tests.policy.check import Policy


def test_assignments(policy: Policy) -> None:
    """It allows unpacking, annotated and augmented assignment, also on attributes and items."""
    source = """
        a, (b, *c), d = 1, (2, 3, 4), 5
        x: int = 1
        y: str
        items = {"n": [1]}
        items["n"] += [2]
        items["n"][0] *= 10
        items["m"] = items["n"][:]
        del items["n"]
        class A: n = 1
        A.n -= 1
        x **= 2; x //= 1; x |= 4; x ^= 1
        print(a, b, c, d, x, items, A.n)
    """
    assert policy.prints(source) == ["1 2 [3, 4] 5 4 {'m': [10, 2]} 0"]


def test_walrus(policy: Policy) -> None:
    """It allows assignment expressions."""
    source = "if (n := len('abc')) > 2:\n    print(n, [y := 1, y + 1], [last := i for i in range(3)], last)"
    assert policy.prints(source) == ["3 [1, 2] [0, 1, 2] 2"]


def test_loops(policy: Policy) -> None:
    """It allows for and while with else, break, continue and unpacking targets."""
    source = """
        for i, (a, b) in enumerate([(1, 2), (3, 4)]):
            if i: continue
            print(i, a, b)
        else:
            print("done")
        n = 3
        while n:
            n -= 1
            if n == 1: break
        else:
            print("never")
        print(n)
    """
    assert policy.prints(source) == ["0 1 2", "done", "1"]


def test_comprehensions(policy: Policy) -> None:
    """It allows list, set, dict and generator comprehensions, nested and filtered."""
    source = """
        print([a * b for a in (1, 2) for b in (3, 4) if a != b])
        print({k: v for k, v in {"a": 1}.items()}, sorted({n % 2 for n in range(4)}))
        print(sum(n for n in range(4)))
    """
    assert policy.prints(source) == ["[3, 4, 6, 8]", "{'a': 1} [0, 1]", "6"]


def test_with(policy: Policy) -> None:
    """It allows with, several items, unpacking and contextlib."""
    source = """
        from contextlib import contextmanager, suppress
        @contextmanager
        def pair():
            yield 1, 2
            print("closed")
        with pair() as (a, b), suppress(KeyError):
            print(a, b)
            {}["x"]
    """
    assert policy.prints(source) == ["1 2", "closed"]


def test_asserts_and_deletion(policy: Policy) -> None:
    """It allows assert, del and pass."""
    source = """
        x = [1, 2, 3]
        del x[0], x[-1]
        try:
            assert x == [], f"left: {x}"
        except AssertionError as error:
            print(error)
    """
    assert policy.prints(source) == ["left: [2]"]


def test_strings(policy: Policy) -> None:
    """It allows f-strings with conversions, nested formats and the = form, % and t-strings."""
    source = """
        n, w = 3.14159, 8
        print(f"{n:{w}.2f}|{n!r}|{n = :.1f}|{'a' + f'{1}'}|{{}}")
        print("%s %(a)s" % {"a": 1} if False else "%(a)s %(b)05.1f" % {"a": 1, "b": 2})
        print(t"{n}".values)
    """
    assert policy.prints(source) == ["    3.14|3.14159|n = 3.1|a1|{}", "1 002.0", "(3.14159,)"]


@pytest.mark.parametrize("source", ["f'{x.__dict__}'", "f'{x:{y._z}}'", "t'{x.__dict__}'"])
def test_private_attributes_in_strings(policy: Policy, source: str) -> None:
    """It denies private attributes inside f-strings and t-strings."""
    assert "The attribute" in policy.refused(f"x = y = 1\n{source}")[2]


def test_match(policy: Policy) -> None:
    """It allows match with every kind of pattern."""
    source = """
        from dataclasses import dataclass
        @dataclass
        class Point:
            x: int
            y: int
        def kind(value):
            match value:
                case None: return "none"
                case 1 | 2: return "small"
                case str() as text if text: return text
                case [first, *rest]: return (first, rest)
                case {"a": a, **more}: return (a, more)
                case Point(x=0, y=y): return y
                case Point(x, _): return x
                case _: return "other"
        print([kind(v) for v in (None, 2, "s", [1, 2, 3], {"a": 1, "b": 2}, Point(0, 5), Point(7, 1), 9.5)])
    """
    expected = "['none', 'small', 's', (1, [2, 3]), (1, {'b': 2}), 5, 7, 'other']"
    assert policy.prints(source) == [expected]


def test_private_attributes_in_patterns(policy: Policy) -> None:
    """It denies private attributes in class patterns and dotted values."""
    assert policy.refused("match 1:\n    case int(__class__=c): pass")[:2] == (2, 10)
    assert policy.refused("match 1:\n    case x.__dict__: pass")[:2] == (2, 10)


def test_slices(policy: Policy) -> None:
    """It allows slices and tuples as subscripts."""
    assert policy.prints("x = list(range(6))\nx[1:3] = [9]\nprint(x[::-2], x[-1], {(1, 2): 3}[1, 2])") == [
        "[5, 3, 0] 5 3"
    ]
