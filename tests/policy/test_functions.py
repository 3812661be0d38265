"""Functions, lambdas, calls, generators and decorators."""

from __future__ import annotations

from tests.policy.check import Policy


def test_parameters(policy: Policy) -> None:
    """It allows every kind of parameter, defaults and annotations."""
    source = """
        def f(a, /, b: int = 2, *rest: int, c, d=4, **more: str) -> str:
            return f"{a} {b} {rest} {c} {d} {more}"
        print(f(1, c=3))
        print(f(1, 2, 3, 4, c=5, d=6, e=7))
    """
    assert policy.prints(source) == ["1 2 () 3 4 {}", "1 2 (3, 4) 5 6 {'e': 7}"]


def test_star_arguments(policy: Policy) -> None:
    """It allows * and ** in calls, displays and subscripts."""
    source = """
        def f(*args, **kwargs):
            return args, kwargs
        a, k = [1, 2], {"x": 3}
        print(f(*a, *a, **k, **{"y": 4}))
        print([*a, 0], {*a}, (*a,), {**k, "z": 1})
    """
    assert policy.prints(source) == [
        "((1, 2, 1, 2), {'x': 3, 'y': 4})",
        "[1, 2, 0] {1, 2} (1, 2) {'x': 3, 'z': 1}",
    ]


def test_lambdas(policy: Policy) -> None:
    """It allows lambdas."""
    assert policy.prints("print(sorted([3, 1, 2], key=lambda n: -n))") == ["[3, 2, 1]"]


def test_closures(policy: Policy) -> None:
    """It allows nested functions with nonlocal and global."""
    source = """
        total = 0
        def counter():
            n = 0
            def step():
                nonlocal n
                global total
                n += 1
                total += n
                return n
            return step
        step = counter()
        step(); step()
        print(total)
    """
    assert policy.prints(source) == ["3"]


def test_generators(policy: Policy) -> None:
    """It allows yield, yield from, send and generator expressions."""
    source = """
        def numbers():
            got = yield 1
            yield got
            yield from (n for n in range(2))
        g = numbers()
        print(next(g), g.send("x"), list(g))
    """
    assert policy.prints(source) == ["1 x [0, 1]"]


def test_decorators(policy: Policy) -> None:
    """It allows decorators, with functools.wraps and with arguments."""
    source = """
        import functools
        def twice(times):
            def decorate(function):
                @functools.wraps(function)
                def run(*args):
                    return function(*args) * times
                return run
            return decorate
        @twice(3)
        def f(x):
            return x
        print(f("a"), f.__name__)
    """
    assert policy.prints(source) == ["aaa f"]


def test_type_hints(policy: Policy) -> None:
    """It allows type hints, also as text, type aliases and type parameters."""
    source = """
        from __future__ import annotations
        from typing import Any, Optional
        type Pair[T] = tuple[T, T]
        def first[T](items: list[T] | None, *, fallback: Optional[Any] = None) -> T:
            value: "T" = items[0]
            return value
        class Box[T]:
            item: T
        print(first([1]), Box[int].__name__)
    """
    assert policy.prints(source) == ["1 Box"]
