"""Attributes whose names the source does not show: getattr, format strings, operator."""

from __future__ import annotations

import pytest

from tests.policy.check import Policy

REFUSED = "AttributeError the attribute '{}' is not available to Actions"


def caught(expression: str) -> str:
    return f"try:\n    print({expression})\nexcept Exception as e:\n    print(type(e).__name__, e)\n"


@pytest.mark.parametrize(
    "expression",
    [
        "getattr((), '__dict__')",
        "getattr((), '__di' + 'ct__', None)",
        "setattr(print, '__dict__', 1)",
        "delattr(print, '__dict__')",
        "'{0.__dict__}'.format(())",
        "'{0[a].__dict__}'.format({'a': 1})",
        "'{a.__dict__}'.format_map({'a': 1})",
        "str.format('{0.__dict__}', ())",
        "getattr('{0.__dict__}', 'format')(())",
        "list(map('{0.__dict__}'.format, [()]))[0]",
        "__import_operator.attrgetter('real.__dict__')(1)",
        "__import_operator.methodcaller('__dict__')(1)",
        "'{0:{1.__dict__}}'.format(1, 2)",
    ],
)
def test_private_attributes_by_computed_name(policy: Policy, expression: str) -> None:
    """It denies private attributes to getattr, setattr, delattr, format and operator as well."""
    source = "import operator\n" + caught(expression.replace("__import_operator", "operator"))
    assert policy.prints(source) == [REFUSED.format("__dict__")]


def test_frames_by_computed_name(policy: Policy) -> None:
    """It denies frames to getattr."""
    source = "def g():\n    yield\n" + caught("getattr(g(), 'gi_frame')")
    assert policy.prints(source) == [REFUSED.format("gi_frame")]


def test_hasattr(policy: Policy) -> None:
    """It answers that private attributes are not there."""
    assert policy.prints("print(hasattr((), '__dict__'), hasattr('', 'upper'))") == ["False True"]


def test_names_that_only_look_like_strings(policy: Policy) -> None:
    """It denies names that are not exactly strings: a subclass could change its mind."""
    source = "class S(str): pass\n" + caught("getattr((), S('count'))")
    assert policy.prints(source) == ["TypeError attribute name must be string, not 'S'"]


def test_public_attributes(policy: Policy) -> None:
    """It allows public attributes by computed name, with and without a default."""
    assert policy.prints("print(getattr('a', 'upper')(), getattr(1, 'nope', 'none'))") == ["A none"]


def test_format(policy: Policy) -> None:
    """It allows str.format with everything else that it can do."""
    source = """
        from datetime import date
        form = "{0!r:>5} {a[k]} {d:%Y} {x.real} {{}}"
        print(form.format("v", a={"k": 1}, d=date(2026, 1, 2), x=3))
        print("{:>4}|{:<4}|".format(1, 2), "{n}".format_map({"n": 5}))
    """
    assert policy.prints(source) == ["  'v' 1 2026 3 {}", "   1|2   | 5"]


def test_format_of_other_objects(policy: Policy) -> None:
    """It leaves methods named format of other objects alone."""
    source = "class A:\n    def format(self, x): return x * 2\nprint(A().format(2))"
    assert policy.prints(source) == ["4"]


def test_own_attribute_named_format(policy: Policy) -> None:
    """It allows an attribute that is called format."""
    source = "class A: pass\na = A()\na.format = 'pdf'\nprint(a.format)"
    assert policy.prints(source) == ["pdf"]


@pytest.mark.parametrize(
    "where",
    [
        "if CALL:\n    pass",
        "if 0:\n    pass\nelif CALL:\n    pass",
        "if 0:\n    pass\nelse:\n    CALL",
        "try:\n    CALL\nfinally:\n    pass",
        "try:\n    {}[0]\nexcept KeyError:\n    CALL",
        "try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    CALL",
        "try:\n    pass\nfinally:\n    CALL",
    ],
)
def test_formats_are_guarded_everywhere(policy: Policy, where: str) -> None:
    """It denies private fields of format strings in every branch."""
    inner = where.replace("CALL", "'{0.__dict__}'.format(1)").replace("\n", "\n    ")
    source = f"try:\n    {inner}\n    print('reached')\nexcept AttributeError as error:\n    print(error)"
    assert policy.prints(source) == ["the attribute '__dict__' is not available to Actions"]


@pytest.mark.parametrize("annotation", ["'().__dict__'", "list['().__dict__']", "'int'"])
def test_no_annotation_that_is_text_is_run(policy: Policy, annotation: str) -> None:
    """`functools.singledispatch` would evaluate it, outside of everything that the compiler looked at."""
    source = f"import functools\n@functools.singledispatch\ndef f(x): pass\ndef g(x: {annotation}): pass\n"
    assert policy.prints(source + caught("f.register(g)")) == [
        "TypeError register() needs the type: @name.register(int), or an annotation that is a type"
    ]


def test_dispatch_by_type_works(policy: Policy) -> None:
    source = """
        import functools
        @functools.singledispatch
        def f(x): return 0
        @f.register
        def g(x: int, y: 'never read' = 1): return 1
        @f.register(str)
        def h(x): return 2
        @f.register
        def u(x: list | dict): return 3
        f.register(bytes, lambda x: 4)
        class A:
            @functools.singledispatchmethod
            def f(self, x): return 0
            @f.register
            def g(self, x: int): return 1
        print(f(1), f(""), f(None), f([]), f({}), f(b""), A().f(1), A().f(""))
    """
    assert policy.prints(source) == ["1 2 0 3 3 4 1 0"]
