"""Functions added to a WebAssembly binary, and others put in the place of its own.

The binary is one whose digest is pinned, so its functions are known by their numbers. Only what is asked for
changes; every other section stays as it is, byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sandbox.wasm import binary
from sandbox.wasm.binary import HEADER_BYTES, MODULE, read_unsigned, section, signed, unsigned

_TYPE, _IMPORT, _FUNCTION, _EXPORT, _CODE = 1, 2, 3, 7, 10
_FUNCTION_KIND: Final = 0
_FUNCTION_TYPE: Final = 0x60


class ModuleFormatError(Exception):
    """The binary is not of the shape that this rewriting knows."""


def sections(module: bytes) -> list[tuple[int, bytes]]:
    """(id, body) of each section. Raises `ModuleFormatError`."""
    if not module.startswith(MODULE):
        raise ModuleFormatError("not a WebAssembly module")
    found = binary.sections(module, HEADER_BYTES, len(module))
    return [(kind, module[start:end]) for kind, start, end in found]


def assemble(parts: Iterable[tuple[int, bytes]]) -> bytes:
    """A module of these sections."""
    return MODULE + b"".join(section(kind, body) for kind, body in parts)


@dataclass(frozen=True, slots=True)
class Function:
    """A function as the code section holds it.

    Attributes:
        locals: count and value type (0x7F i32, 0x7E i64) of each group.
        code: its instructions, without the last `end`.
    """

    locals: tuple[tuple[int, int], ...]
    code: bytes

    def body(self) -> bytes:
        groups = b"".join(unsigned(count) + bytes([kind]) for count, kind in self.locals)
        return unsigned(len(self.locals)) + groups + self.code + b"\x0b"


class Patch(NamedTuple):
    """Instructions put into a function's body.

    Attributes:
        at: position in the body, which begins with its locals.
        old: what stands there; it proves that the function is the one that is meant.
        new: what is put there.
        replaces: `new` takes the place of `old`, rather than going before it.
    """

    at: int
    old: bytes
    new: bytes
    replaces: bool = False


class Functions:
    """The functions of a module, to be replaced one by one. Raises `ModuleFormatError`."""

    def __init__(self, module: bytes) -> None:
        self._sections = sections(module)
        found = dict(self._sections)
        self._imported = _imported_functions(found[_IMPORT])
        self._signatures = _signatures(found[_TYPE])
        self._types = _unsigned_vector(found[_FUNCTION])
        self._bodies = _bodies(found[_CODE])
        self.exported: Mapping[str, int] = dict(_exported_functions(found[_EXPORT]))
        """Numbers of the functions that are exported, by name."""

    def signature(self, number: int) -> tuple[bytes, bytes]:
        """The value types of a function's parameters and of its results, a byte each."""
        return self._signatures[self._types[self._at(number)]]

    def move(self, number: int) -> int:
        """Give the function `number` another number, its new one; the old is free for `put`."""
        at = self._at(number)
        self._types.append(self._types[at])
        self._bodies.append(self._bodies[at])
        return self._imported + len(self._bodies) - 1

    def put(self, number: int, function: Function) -> None:
        """Let `number` be `function`, of the type that it had."""
        self._bodies[self._at(number)] = function.body()

    def patch(self, number: int, patches: Sequence[Patch], extra: int) -> None:
        """Change the body of `number` in places, and give it `extra` more locals of type i32, which come
        after those that it has."""
        body = self._bodies[self._at(number)]
        parts, done = [], 0
        for patch in sorted(patches, key=lambda item: (item.at, item.replaces)):
            if not body.startswith(patch.old, patch.at) or patch.at < done:
                raise ModuleFormatError(f"function {number} is another one at {patch.at}")
            parts.append(body[done : patch.at] + patch.new)
            done = patch.at + (len(patch.old) if patch.replaces else 0)
        groups, begin = read_unsigned(body, 0)
        changed = (b"".join(parts) + body[done:])[begin:]
        end = begin
        for _ in range(groups):
            _, end = read_unsigned(body, end)
            end += 1
        declared = changed[: end - begin] + unsigned(extra) + bytes([I32])
        self._bodies[self._at(number)] = unsigned(groups + 1) + declared + changed[end - begin :]

    def add(self, like: int, function: Function) -> int:
        """A further function, of the type that the function `like` has; its number."""
        number = self.move(like)
        self.put(number, function)
        return number

    def module(self) -> bytes:
        """The module as it is now."""
        replaced = {
            _FUNCTION: unsigned(len(self._types)) + b"".join(map(unsigned, self._types)),
            _CODE: unsigned(len(self._bodies))
            + b"".join(unsigned(len(body)) + body for body in self._bodies),
        }
        return assemble((kind, replaced.get(kind, body)) for kind, body in self._sections)

    def _at(self, number: int) -> int:
        at = number - self._imported
        if not 0 <= at < len(self._bodies):
            raise ModuleFormatError(f"there is no function {number}")
        return at


def _signatures(body: bytes) -> list[tuple[bytes, bytes]]:
    count, at = read_unsigned(body, 0)
    found = []
    for _ in range(count):
        if body[at] != _FUNCTION_TYPE:
            raise ModuleFormatError("a type is no function's")
        length, at = read_unsigned(body, at + 1)
        parameters, at = body[at : at + length], at + length
        length, at = read_unsigned(body, at)
        found.append((parameters, body[at : at + length]))
        at += length
    return found


def _imported_functions(body: bytes) -> int:
    """The number of imported functions; all imports must be functions."""
    count, at = read_unsigned(body, 0)
    for _ in range(count):
        for _ in range(2):
            length, at = read_unsigned(body, at)
            at += length
        if body[at] != _FUNCTION_KIND:
            raise ModuleFormatError("an import is no function")
        _, at = read_unsigned(body, at + 1)
    return count


def _exported_functions(body: bytes) -> Iterable[tuple[str, int]]:
    count, at = read_unsigned(body, 0)
    for _ in range(count):
        length, at = read_unsigned(body, at)
        name, kind = body[at : at + length].decode(), body[at + length]
        number, at = read_unsigned(body, at + length + 1)
        if kind == _FUNCTION_KIND:
            yield name, number


def _unsigned_vector(body: bytes) -> list[int]:
    count, at = read_unsigned(body, 0)
    found = []
    for _ in range(count):
        value, at = read_unsigned(body, at)
        found.append(value)
    return found


def _bodies(body: bytes) -> list[bytes]:
    count, at = read_unsigned(body, 0)
    found = []
    for _ in range(count):
        size, at = read_unsigned(body, at)
        found.append(body[at : at + size])
        at += size
    return found


# --- instructions ---

I32: Final = 0x7F
I64: Final = 0x7E

GLOBAL_GET: Final = b"\x23\x00"
GLOBAL_SET: Final = b"\x24\x00"
IF: Final = b"\x04\x40"
LOOP: Final = b"\x03\x40"
ELSE: Final = b"\x05"
END: Final = b"\x0b"
RETURN: Final = b"\x0f"
DROP: Final = b"\x1a"
I32_EQZ: Final = b"\x45"
I32_EQ: Final = b"\x46"
I32_NE: Final = b"\x47"
I32_LT_U: Final = b"\x49"
I32_GT_U: Final = b"\x4b"
I32_ADD: Final = b"\x6a"
I32_SUB: Final = b"\x6b"
I32_AND: Final = b"\x71"
I32_OR: Final = b"\x72"
I32_SHR_U: Final = b"\x76"
I64_EQ: Final = b"\x51"
I64_EQZ: Final = b"\x50"
I64_SHR_S: Final = b"\x87"


def get(local: int) -> bytes:
    return b"\x20" + unsigned(local)


def put(local: int) -> bytes:
    return b"\x21" + unsigned(local)


def tee(local: int) -> bytes:
    return b"\x22" + unsigned(local)


def br(depth: int) -> bytes:
    return b"\x0c" + unsigned(depth)


def br_if(depth: int) -> bytes:
    return b"\x0d" + unsigned(depth)


def call(number: int) -> bytes:
    return b"\x10" + unsigned(number)


def i32(value: int) -> bytes:
    return b"\x41" + signed(value)


def i64(value: int) -> bytes:
    return b"\x42" + signed(value)


def load32(offset: int = 0) -> bytes:
    return b"\x28\x02" + unsigned(offset)


def load64(offset: int = 0) -> bytes:
    return b"\x29\x03" + unsigned(offset)


def load8(offset: int = 0) -> bytes:
    return b"\x2d\x00" + unsigned(offset)


def store32(offset: int = 0) -> bytes:
    return b"\x36\x02" + unsigned(offset)


def store64(offset: int = 0) -> bytes:
    return b"\x37\x03" + unsigned(offset)


def gets(count: int) -> bytes:
    """The first `count` locals: a function's own parameters."""
    return b"".join(get(local) for local in range(count))


def sequence(*parts: bytes) -> bytes:
    return b"".join(parts)
