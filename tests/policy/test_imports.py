"""Modules that Actions may import, and what the refusal of others says."""

from __future__ import annotations

import pytest

from tests.policy.check import Policy


def test_forms(policy: Policy) -> None:
    """It allows every form of import of an allowed module."""
    source = """
        import json, math as m
        import urllib.parse
        import collections.abc as cabc
        from urllib.parse import quote as q, urlencode
        from urllib import parse
        from datetime import datetime, timedelta, UTC
        print(json.dumps({"a": 1}), m.floor(1.5), urllib.parse.quote("a b"), q("c d"), urlencode({"x": 1}))
        print(isinstance([], cabc.Sequence), parse.unquote("%20"), timedelta(days=1))
    """
    assert policy.prints(source) == ['{"a": 1} 1 a%20b c%20d x=1', "True   1 day, 0:00:00"]


NO_OS = "secrets are in event.secrets; there are no files and no environment."
NO_REQUESTS = "use http.get() or await fetch(), which need no import."
REFUSALS = [
    ("import os", 8, f"The module 'os' is not available to Actions; {NO_OS}"),
    ("import os.path as p", 8, f"The module 'os.path' is not available to Actions; {NO_OS}"),
    ("from os import environ", 1, f"The module 'os' is not available to Actions; {NO_OS}"),
    ("from requests import get", 1, f"The module 'requests' is not available to Actions; {NO_REQUESTS}"),
    ("import jsn", 8, "The module 'jsn' is not available to Actions; did you mean 'json'?"),
    ("from json import lods", 18, "The module 'json' has no 'lods' for Actions; did you mean 'loads'?"),
    ("from json import codecs", 18, "The module 'json' has no 'codecs' for Actions."),
    ("from json import *", 18, "'import *' is not available to Actions; name what you import."),
    ("from . import x", 1, "A relative import is not available to Actions; an Action is a single module."),
]


@pytest.mark.parametrize(("source", "column", "message"), REFUSALS)
def test_refusals(policy: Policy, source: str, column: int, message: str) -> None:
    """It denies other modules and names at upload: the place, the nearest match or a remedy."""
    assert policy.refused(f"x = 1\n{source}") == (2, column, message)


def test_unknown_modules_are_listed(policy: Policy) -> None:
    """It lists what is available when nothing is near."""
    message = policy.refused("import numpy_zzz")[2]
    assert "docs/python.md lists those that are" in message
    assert "is declared under `dependencies` in pyproject.toml beside the Action" in message


@pytest.mark.parametrize(
    "module",
    [
        "json",
        "re",
        "math",
        "datetime",
        "time",
        "hashlib",
        "hmac",
        "base64",
        "uuid",
        "secrets",
        "random",
        "string",
        "decimal",
        "fractions",
        "statistics",
        "collections",
        "collections.abc",
        "itertools",
        "functools",
        "operator",
        "enum",
        "dataclasses",
        "typing",
        "urllib",
        "urllib.parse",
        "textwrap",
        "unicodedata",
        "ipaddress",
        "zoneinfo",
        "asyncio",
        "copy",
        "html",
        "bisect",
        "heapq",
        "abc",
        "contextlib",
        "types",
        "numbers",
        "calendar",
        "binascii",
        "struct",
        "io",
        "logging",
        "csv",
        "difflib",
        "pprint",
        "http",
        "traceback",
        "warnings",
        "contextvars",
        "email.utils",
        "actionbox",
    ],
)
def test_allowed_modules(policy: Policy, module: str) -> None:
    """It allows the modules of docs/compatibility.md."""
    assert policy.prints(f"import {module}\nprint('in')") == ["in"]


@pytest.mark.parametrize(
    "expression",
    [
        "json.codecs",
        "uuid.os",
        "re.enum",
        "random._os",
        "string.Formatter",
        "typing.get_type_hints",
        "asyncio.events",
        "dataclasses.sys",
        "collections.sys",
        "enum.EnumMeta",
        "abc.ABCMeta",
        "logging.os",
        "types.FunctionType.x",
    ],
)
def test_modules_inside_modules(policy: Policy, expression: str) -> None:
    """It hands out names, not modules: what a standard module holds by accident is not there."""
    module = expression.partition(".")[0]
    attempt = f"try:\n    {expression}\n    print('reached')\nexcept AttributeError:\n    print('no')"
    source = f"import {module}\n{attempt}"
    if "._" in expression:
        assert "The attribute '_os'" in policy.refused(source)[2]
    else:
        assert policy.prints(source) == ["no"]


def test_modules_are_read_only(policy: Policy) -> None:
    """It denies changing a module."""
    source = "import json\ntry:\n    json.dumps = None\nexcept AttributeError as e:\n    print(e)"
    assert policy.prints(source) == ["the module 'json' cannot be changed"]


def test_functions_are_no_constructors(policy: Policy) -> None:
    """It allows testing for a function, not making one."""
    source = """
        from types import FunctionType, CoroutineType
        print(isinstance(lambda: 1, FunctionType), isinstance(1, FunctionType | CoroutineType))
        try:
            FunctionType(None, {})
        except TypeError as error:
            print(error)
    """
    assert policy.prints(source) == ["True False", "function objects come from def and lambda"]


def test_imports_that_may_fail(policy: Policy) -> None:
    """It leaves an import alone whose failure the source catches; it fails when it runs."""
    source = """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from requests import Session
        try:
            import simplejson as json
        except ImportError:
            import json
        try:
            from json import orjson
        except (ImportError, KeyError) as error:
            print(error)
        print(json.dumps([1]))
    """
    assert policy.prints(source) == ["The module 'json' has no 'orjson' for Actions.", "[1]"]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("try:\n    import os\nexcept KeyError:\n    pass", 2),
        ("try:\n    pass\nexcept ImportError:\n    import os", 4),
        ("try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import os", 6),
        ("try:\n    pass\nfinally:\n    import os", 4),
        ("if CHECKING:\n    import os", 2),
        ("TYPE_CHECKING = True\nif TYPE_CHECKING:\n    pass\nelse:\n    import os", 5),
        ("try:\n    import os\nexcept ImportError:\n    pass\nx.__dict__", 5),
        ("try:\n    x.__dict__\nexcept ImportError:\n    pass", 2),
    ],
)
def test_imports_that_may_not(policy: Policy, source: str, line: int) -> None:
    """It denies what is imported elsewhere, and everything else in such places."""
    assert policy.refused(source)[0] == line
