"""Ways round the policy that go through Python's own library: names that say one thing when they are checked and
another when they are used, modules and classes that are handed out by accident, text that is evaluated.

Each attempt prints `reached` when it gets what no Action may have."""

# ruff: noqa: E501 - tables of short programs

from __future__ import annotations

import pytest

from tests.policy.check import Policy

LIAR = """
class Liar(str):
    def __str__(self): return "real"
    def __eq__(self, other): return True
    def __hash__(self): return hash("__module__")
    def isidentifier(self): return True
    def startswith(self, *a): return False
    def split(self, *a): return ["real"]
"""
FORBIDDEN = "def forbidden(self, *a): print('reached')\n"

ATTEMPTS = {
    # Modules that C code imports in the name of the Action.
    **{
        f"import {name}": f"try:\n    import {name} as found\nexcept ImportError:\n    found = None\nif found: print('reached')"
        for name in ("_strptime", "_pylong", "annotationlib", "copyreg", "encodings", "locale")
    },
    "from encodings": "try:\n    from encodings import aliases\n    print('reached')\nexcept ImportError:\n    pass",
    # Names that lie.
    "attrgetter, lying": LIAR
    + "import operator\noperator.attrgetter(Liar('__globals__'))(print)\nprint('reached')",
    "methodcaller, lying": LIAR
    + "import operator\noperator.methodcaller(Liar('__dir__'))(1)\nprint('reached')",
    "getattr, lying": LIAR + "getattr(print, Liar('__globals__'))\nprint('reached')",
    "a field, lying": LIAR
    + "import dataclasses\ndataclasses.make_dataclass('X', [Liar('a')])\nprint('reached')",
    "a field in a lying pair": LIAR
    + "import dataclasses\nclass Pair(list):\n    def __iter__(self): return iter((Liar('a'), int))\ndataclasses.make_dataclass('X', [Pair()])\nprint('reached')",
    "a field renamed": "import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int = 1\ndataclasses.fields(A)[0].name = 'x=print(\"reached\"), y'\n@dataclasses.dataclass\nclass B(A):\n    z: int = 2",
    "a field of another class": "import dataclasses\nclass F(type(dataclasses.field())):\n    name = 'x=1'\nprint('reached')",
    "a member, lying": LIAR
    + FORBIDDEN
    + "import enum\nenum.Enum('E', {Liar('__del__'): forbidden})\nprint('reached')",
    # Members that no class statement could define.
    **{
        f"{name} in a namespace": FORBIDDEN
        + f"import dataclasses\ndataclasses.make_dataclass('X', ['a'], namespace={{'{name}': forbidden}})\nprint('reached')"
        for name in ("__del__", "__getattribute__", "__reduce_ex__", "__setattr__", "__dir__", "__prepare__")
    },
    "a namespace that hides": FORBIDDEN
    + "import dataclasses\nclass D(dict):\n    def items(self): return []\n    def keys(self): return []\n    def __iter__(self): return iter(())\nx = dataclasses.make_dataclass('X', ['a'], namespace=D({'__del__': forbidden}))(1)\ndel x",
    "a default in a namespace": FORBIDDEN
    + "import dataclasses\ndataclasses.make_dataclass('X', [('__del__', object, forbidden)])\nprint('reached')",
    "__match_args__ in a namespace": "import dataclasses\ndataclasses.make_dataclass('X', [], namespace={'__match_args__': ('__dict__',)}, match_args=False)\nprint('reached')",
    "an enumeration": FORBIDDEN
    + "import enum\nenum.Enum('E', {'a': 1, '__del__': forbidden})\nprint('reached')",
    "type of a class": FORBIDDEN + "type(int)('X', (), {'__del__': forbidden})\nprint('reached')",
    "type of an enumeration": "import enum\ntype(enum.Enum)('X', (), {})\nprint('reached')",
    "__class__ of a class": "int.__class__('X', (), {})\nprint('reached')",
    "getattr __class__": "getattr(int, '__class__')('X', (), {})\nprint('reached')",
    "attrgetter __class__": "import operator\noperator.attrgetter('__class__')(int)('X', (), {})\nprint('reached')",
    "type[int]": "type[int]('X', (), {})\nprint('reached')",
    "type | int": "import typing\ntyping.get_args(type | int)[0]('X', (), {})\nprint('reached')",
    "get_origin": "import typing\ntyping.get_origin(type[int])('X', (), {})\nprint('reached')",
    "get_origin of Type": "import typing\ntyping.get_origin(typing.Type[int])('X', (), {})\nprint('reached')",
    # Text that is evaluated.
    "ForwardRef": "import typing\ntyping.ForwardRef('1').evaluate()\nprint('reached')",
    "ForwardRef in a list": "import typing\ntyping.get_args(typing.List['1'])[0].evaluate()\nprint('reached')",
    "a dispatcher": "import functools\nclass A:\n    @functools.singledispatchmethod\n    def f(self, x): pass\ndef g(x: 'print(\"reached\") or int'): pass\nfunctools.singledispatchmethod(A).dispatcher.register(g)",
    # Frames.
    "get_stack": "import asyncio\nasync def main():\n    getattr(asyncio.current_task(), 'get_' + 'stack')()\n    print('reached')\nasyncio.run(main())",
    "get_stack by methodcaller": "import asyncio, operator\nasync def main():\n    operator.methodcaller('get_stack')(asyncio.current_task())\n    print('reached')\nasyncio.run(main())",
    # Attributes that are copied.
    "update_wrapper, updated": "import functools, json\nd = {}\nclass W:\n    def __getattr__(self, name): return d\nfunctools.update_wrapper(W(), json.dumps, assigned=(), updated=('__globals__',))\nprint('reached')",
    "update_wrapper, of a class": "import functools, json\nd = {}\nclass W:\n    __slots__ = ('w',)\n    def __getattr__(self, name): return d\ntry:\n    functools.update_wrapper(W(), json.JSONEncoder, assigned=())\nexcept AttributeError:\n    pass\nif d: print('reached')",
    "wraps, assigned": "import functools\ndef g(): print('reached')\ndef h(): pass\nfunctools.wraps(g, assigned=('__code__',))(h)\nh()",
    "wraps, lying": LIAR
    + "import functools\ndef g(): pass\nfunctools.wraps(g, assigned=(Liar('__code__'),))(lambda: 0)\nprint('reached')",
    # Fields of format strings.
    **{
        f"format by {name}": f"import collections, operator\n{body}\nif 'builtins' in str(found): print('reached')"
        for name, body in {
            "attrgetter": "found = operator.attrgetter('format')('{0.__globals__}')(print)",
            "UserString": "found = collections.UserString('{0.__globals__}').format(print)",
            "UserString.format": "found = collections.UserString.format(collections.UserString('{0.__globals__}'), print)",
            "format_map of UserString": "found = collections.UserString('{a.__globals__}').format_map({'a': print})",
            "super": "class S(str):\n    def m(self, *a): return super().format(*a)\nfound = S('{0.__globals__}').m(print)",
            "a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass A:\n    format: str\nclass S(str, A):\n    def __init__(self, *a): pass\nfound = ''\nmatch S('{0.__globals__}'):\n    case A(read): found = read(print)",
        }.items()
    },
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_what_only_shows_at_run_time(policy: Policy, name: str) -> None:
    """It denies with an error of Python's own kind, or gives what an Action may have."""
    lines = "\n".join(f"    {line}" for line in ATTEMPTS[name].splitlines())
    source = f"try:\n{lines}\nexcept (AttributeError, TypeError, ImportError, ValueError) as error:\n    print('denied', error)"
    said = policy.prints(source)
    assert "reached" not in said, said


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("class A:\n    __match_args__ = ('__dict__',)", "__dict__"),
        ("class E(Exception):\n    __match_args__ = ('__traceback__',)", "__traceback__"),
        ("class A:\n    __match_args__ = ('x', 'tb_frame')", "tb_frame"),
        ("class S(str):\n    __match_args__ = ('format',)", "format"),
        ("class A:\n    __match_args__ = tuple(['__dict__'])", "__match_args__"),
        ("NAMES = ('__dict__',)\nclass A:\n    __match_args__ = NAMES", "__match_args__"),
        ("class A:\n    for __match_args__ in [('__dict__',)]: pass", "__match_args__"),
        ("class A:\n    (__match_args__ := ('__dict__',))", "__match_args__"),
        ("class A:\n    def __match_args__(self): pass", "__match_args__"),
        ("class A:\n    from json import dumps as __match_args__", "__match_args__"),
        ("match 'x':\n    case str(format=f): pass", "format"),
        ("match 'x':\n    case str(__class__=f): pass", "__class__"),
        ("match 'x':\n    case x.__class__: pass", "__class__"),
        ("match {}:\n    case {x.__class__: y}: pass", "__class__"),
        ("match {}:\n    case {x.__dict__: y}: pass", "__dict__"),
        ("import asyncio\nasyncio.current_task().get_stack()", "get_stack"),
        ("import asyncio\nasyncio.Task.print_stack", "print_stack"),
        ("e.__cause__ = None", "__cause__"),
        ("x.__class__ = int", "__class__"),
        ("class A:\n    def m(self): object.__getattribute__(self, 'x')", "__getattribute__"),
        ("class A:\n    def m(self, other): dict.__init__(other)", "__init__"),
        ("class A:\n    def m(self): return property.__get__(self, 1)", "__get__"),
    ],
)
def test_what_shows_in_the_source(policy: Policy, source: str, name: str) -> None:
    """It denies at upload, with the place."""
    line, column, message = policy.refused(source)
    assert (line >= 1, column is not None) == (True, True)
    assert f"'{name}'" in message
