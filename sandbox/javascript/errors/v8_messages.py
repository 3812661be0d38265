"""An error of the engine in V8's words, which scripts print and match: `Cannot read properties of undefined`.

Most of it is a table. Some of V8's messages show the expression that was at fault; `callee` finds it in the
source. What V8 says about a value that the engine does not name stays in the engine's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from sandbox.core.program import Program
from sandbox.javascript.errors import error_expression
from sandbox.javascript.errors.sourcemap import original
from sandbox.javascript.errors.tokens import offset

_FRAME: Final = re.compile(
    r"^    at (?P<name>.*?)(?: \((?:(?P<file>.*):(?P<line>\d+):(?P<column>\d+)|(?P<native>native))\))?$"
)
_ITERATOR: Final = " is not iterable (cannot read property Symbol(Symbol.iterator))"

_SAME: Final = {
    "BigInt are forbidden in JSON.stringify": "Do not know how to serialize a BigInt",
    "BigInt division by zero": "Division by zero",
    "BigInt operands are forbidden for >>>": "BigInts have no unsigned right shift, use >> instead",
    "bigint argument with unary +": "Cannot convert a BigInt value to a number",
    "BigInt is too large": "Maximum BigInt size exceeded",
    "BigInt is too large to allocate": "Maximum BigInt size exceeded",
    "cannot convert symbol to string": "Cannot convert a Symbol value to a string",
    "cannot convert symbol to number": "Cannot convert a Symbol value to a number",
    "toPrimitive": "Cannot convert object to primitive value",
    "circular reference": "Converting circular structure to JSON",
    "circular prototype chain": "Cyclic __proto__ value",
    "invalid array length": "Invalid array length",
    "invalid array buffer length": "Invalid array buffer length",
    "invalid string length": "Invalid string length",
    "Date value is NaN": "Invalid time value",
    "empty array": "Reduce of empty array with no initial value",
    "bad normalization form": "The normalization form should be one of NFC, NFD, NFKC, NFKD.",
    "invalid value used as WeakMap key": "Invalid value used as weak map key",
    "invalid value used as WeakSet key": "Invalid value used in weak set",
    "cannot invoke a running generator": "Generator is already running",
    "'this' can be initialized only once": "Super constructor may only be called once",
    "this is not initialized":
        "Must call super constructor in derived class before accessing 'this' or returning from derived "
        "constructor",
    "derived class constructor must return an object or undefined":
        "Derived constructors may only return object or undefined",
    "not a Date object": "this is not a Date object.",
    "not a TypedArray": "this is not a typed array.",
    "ArrayBuffer is detached": "Cannot perform operation on a detached ArrayBuffer",
}  # fmt: skip
"""Messages without parts, and V8's."""

_OF_NATIVE: Final = {
    ("invalid number of digits", "toFixed"): "toFixed() digits argument must be between 0 and 100",
    ("invalid number of digits", "toPrecision"): "toPrecision() argument must be between 1 and 100",
    ("invalid number of digits", "toExponential"): "toExponential() argument must be between 0 and 100",
    ("must be called with new", "Promise"): "Promise constructor cannot be invoked without 'new'",
    ("not an object", "Proxy"): "Cannot create proxy with a non-object as target or handler",
    ("not an object", "ownKeys"): "Reflect.ownKeys called on non-object",
    ("not a function", "bind"): "Bind must be called on a function",
    ("not a object", "apply"): "CreateListFromArrayLike called on non-object",
}
_BY_NATIVE: Final = {
    "null or undefined are forbidden": "String.prototype.{} called on null or undefined",
    "regexp must have the 'g' flag": "String.prototype.{} called with a non-global RegExp argument",
    "regexp not supported": "First argument to String.prototype.{} must not be a regular expression",
    "must be called with new": "Constructor {} requires 'new'",
    "constructor requires 'new'": "Constructor {} requires 'new'",
    "Constructor requires 'new'": "Constructor {} requires 'new'",
    "not a number": "Number.prototype.{} requires that 'this' be a Number",
    "not a symbol": "Symbol.prototype.{} requires that 'this' be a Symbol",
    "not a BigInt": "BigInt.prototype.{} requires that 'this' be a BigInt",
}
"""Messages of built-in functions, and V8's with the function's name."""

_ARRAY_METHODS: Final = frozenset(
    re.findall(
        r"\w+",
        "at concat copyWithin every fill filter find findIndex findLast findLastIndex flat flatMap forEach "
        "includes indexOf join lastIndexOf map pop push reduce reduceRight reverse shift slice some sort "
        "splice unshift",
    )
)
"""Of which no other built-in has the name and the same complaint."""


class Where(NamedTuple):
    """The place in the engine that made an error.

    Attributes:
        function: as the engine calls it.
        native: it is one of the engine's own.
        text: the source, and `at`, an offset in it; None when it is no source of the tenant's.
    """

    function: str = ""
    native: bool = False
    text: str | None = None
    at: int = 0


def in_v8s_words(message: str, frame: str, program: Program | None, *, null: bool) -> str | None:
    """The message that V8 has for what the engine says; None when it has the same, or it is not known.

    Args:
        message: the engine's.
        frame: the first line of its stack, such as `    at f (action.js:3:5)`.
        program: what runs, for its sources.
        null: whether the value that was last made an object of is null, rather than undefined.
    """
    if message in _SAME:
        return _SAME[message]
    where = _where(frame, program)
    if where.native:
        return _of_native(message, where.function)
    for pattern, say in _PATTERNS:
        found = pattern.fullmatch(message)
        if found is not None:
            return say(found, where, null)
    return None


def _of_native(message: str, name: str) -> str | None:
    found = _OF_NATIVE.get((message, name))
    if found is not None:
        return found
    if message in _BY_NATIVE:
        return _BY_NATIVE[message].format(name)
    if message == "cannot convert BigInt to number":
        return "Cannot convert a BigInt value to a number"
    if message == "not a constructor" and name in ("Symbol", "BigInt"):
        return f"{name} is not a constructor"
    if message == "Cannot convert undefined or null to object" and name in _ARRAY_METHODS:
        return f"Array.prototype.{name} called on null or undefined"
    if message == "expecting surrogate pair" or message.startswith("expecting hex"):
        return "URI malformed"
    read = _READ.fullmatch(message)
    if read is None:
        return None
    if read["key"] == "Symbol.iterator":
        return ("object null" if read["value"] == "null" else "undefined") + _ITERATOR
    return _properties(read)


_READ: Final = re.compile(
    "cannot (?P<verb>read|set) property '(?P<key>.*)' of (?P<value>undefined|null)", re.DOTALL
)


def _properties(found: re.Match[str]) -> str:
    verb, key = found["verb"], found["key"]
    key = f"Symbol({key})" if key.startswith("Symbol.") else key
    return f"Cannot {verb} properties of {found['value']} ({verb}ting '{key}')".replace("readting", "reading")


def _read(found: re.Match[str], where: Where, _null: bool) -> str:
    if found["verb"] == "read" and found["key"] == "Symbol.iterator":
        return _no_iterator(found["value"], where)
    return _properties(found)


def _no_iterator(value: str, where: Where) -> str:
    shown = None
    if where.text is not None:
        shown = error_expression.spread_of(where.text, where.at, value) or error_expression.iterated(
            where.text, where.at
        )
    return shown or ("object null" if value == "null" else value) + _ITERATOR


def _not_iterable(_found: re.Match[str], where: Where, _null: bool) -> str | None:
    return None if where.text is None else error_expression.iterated(where.text, where.at)


def _not_callable(found: re.Match[str], where: Where, _null: bool) -> str | None:
    if where.text is None:
        return None
    return error_expression.called(where.text, where.at, constructor=found[0].endswith("constructor"))


def _to_object(_found: re.Match[str], where: Where, null: bool) -> str | None:
    value = "null" if null else "undefined"
    return None if where.text is None else error_expression.destructured(where.text, where.at, value)


def _read_only(found: re.Match[str], where: Where, _null: bool) -> str:
    name = found[1]
    if name.isidentifier() and (
        where.text is None or error_expression.assigns_variable(where.text, where.at, name)
    ):
        return "Assignment to constant variable."
    shape = "[object Array]" if name.isdecimal() else "#<Object>"
    return f"Cannot assign to read only property '{name}' of object '{shape}'"


def _not_extensible(_found: re.Match[str], where: Where, _null: bool) -> str | None:
    name = None if where.text is None else error_expression.assigned_member(where.text, where.at)
    return None if name is None else f"Cannot add property {name}, object is not extensible"


def _no_setter(_found: re.Match[str], where: Where, _null: bool) -> str | None:
    name = None if where.text is None else error_expression.assigned_member(where.text, where.at)
    return None if name is None else f"Cannot set property {name} of #<Object> which has only a getter"


def _not_deleted(_found: re.Match[str], where: Where, _null: bool) -> str | None:
    name = None if where.text is None else error_expression.deleted_member(where.text, where.at)
    return None if name is None else f"Cannot delete property '{name}' of #<Object>"


def _private(found: re.Match[str], where: Where, _null: bool) -> str:
    written = where.text is not None and error_expression.assigned_member(where.text, where.at) == found[1]
    verb, preposition = ("write", "to") if written else ("read", "from")
    return f"Cannot {verb} private member {found[1]} {preposition} an object whose class did not declare it"


_Say = Callable[[re.Match[str], Where, bool], str | None]
_PATTERNS: Final[tuple[tuple[re.Pattern[str], _Say], ...]] = (
    (_READ, _read),
    (re.compile("not a (?:function|constructor)"), _not_callable),
    (re.compile(r"(\S+) is not a constructor"), _not_callable),
    (re.compile("value is not iterable"), _not_iterable),
    (re.compile("Cannot convert undefined or null to object"), _to_object),
    (
        re.compile("(.+) is not initialized"),
        lambda found, *_: f"Cannot access '{found[1]}' before initialization",
    ),
    (re.compile("'(.*)' is read-only"), _read_only),
    (re.compile("object is not extensible"), _not_extensible),
    (re.compile("no setter for property"), _no_setter),
    (re.compile("could not delete property"), _not_deleted),
    (re.compile("private class field '(#.*)' does not exist"), _private),
    (
        re.compile("class constructors must be invoked with 'new'"),
        lambda _found, where, _null: f"Class constructor {where.function} cannot be invoked without 'new'",
    ),
    (
        re.compile("cannot convert BigInt to number"),
        lambda *_: "Cannot mix BigInt and other types, use explicit conversions",
    ),
)


def _where(frame: str, program: Program | None) -> Where:
    found = _FRAME.match(frame)
    if found is None:
        return Where()
    name = found["name"]
    if found["native"]:
        return Where(name, native=True)
    if program is None or found["line"] is None:
        return Where(name)
    own = next((item for item in (program, *program.modules) if item.source.filename == found["file"]), None)
    place = None if own is None else original(own.mappings, int(found["line"][:9]), int(found["column"][:9]))
    if own is None or place is None:
        return Where(name)
    at = offset(own.source.text, *place)
    return Where(name) if at is None else Where(name, text=own.source.text, at=at)
