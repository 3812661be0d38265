"""The vocabulary in which triggers declare their api: one declaration, from which everything is generated.

A `Surface` is a tuple of `Method`s. A `Method` says what an Action may call (`path`, `parameters`,
`options`, `returns`) and what the call does (`run`, `change`, `apply`). The wire format for guests, the
typings, the JSON Schemas, the reference pages and the test strategies are read off the first half:

- `kind`: `command` (recorded, applied when the flow is over), `query` (answered now) or `live` (a command
  that also changes this Action's `event` at once).
- `returns`: `api` (chainable), `void`, `value`, `promise`. For the last two `value` is the annotation of
  the answer; `None` in a union there reads as `undefined` in JavaScript.
- `parameters`: in order. `options`: the members of a trailing options object, if there is one.
- Annotations are those pydantic understands, and only these occur: `str`, `bool`, `int | float` (a
  JavaScript number), `None`, `Any`, `Literal`, `list[...]`, `dict[str, ...]`, unions, `TypedDict` (from
  typing_extensions, with `NotRequired`, possibly recursive) and `Annotated[..., Field(description=...)]`
  with constraints; constraints appear in `arguments.json_schema()`.
- `source`: `docs`, `pkg` (published npm package) or `decided`; `decided` holds the note on what was decided
  where the reference is silent. `gate`: the feature that must be on, else the member throws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, NotRequired

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft

Kind = Literal["command", "query", "live"]
Returns = Literal["api", "void", "value", "promise"]
Source = Literal["docs", "pkg", "decided"]
Change = tuple[list[str], Any]
"""A path in the event and the value that replaces what is there."""


class Undefined:
    """The one value that is neither JSON nor null; `repr` is what JavaScript calls it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()
"""Default of an option or parameter that has no default value."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One positional argument.

    Attributes:
        name: camelCase, as the reference spells it.
        type: annotation of the value.
        doc: one sentence with meaning and constraints.
        required: False when it may be left out; then `null` counts as left out, unless `nullable`.
        nullable: `null` is a value of its own (it removes something, say).
        sensitive: never quote the value in an error.
        raw: typed for readers only; the value is checked by the method's `run` instead of here.
        message: an error (in Python an exception) stands for its message here; guests see to that.
    """

    name: str
    type: Any
    doc: str
    required: bool = True
    nullable: bool = False
    sensitive: bool = False
    raw: bool = False
    message: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One member of the trailing options object; `default` is what leaving it out means."""

    name: str
    type: Any
    doc: str
    required: bool = False
    default: Any = UNDEFINED
    nullable: bool = False
    sensitive: bool = False
    raw: bool = False
    message: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """The trailing options object.

    Attributes:
        members: its known keys.
        name: what the reference calls the argument.
        required: the object itself must be there.
        closed: unknown keys are an error; otherwise they are ignored, as JavaScript code does.
        bare: the member that a value in place of the object stands for; None refuses such a value.
    """

    members: tuple[Option, ...]
    name: str = "options"
    required: bool = False
    closed: bool = False
    bare: str | None = None


@dataclass(frozen=True)
class Method:
    """One member of a trigger's api. See the module docstring for the declarative half.

    Behaviour:
        run: checks beyond the types, at call time; may raise `Refusal`, may change `call.arguments`
            before they are recorded; returns the answer of a query.
        change: what the call of a live member replaces in the event at once, from the event before it and
            the arguments.
        later: which objects of the event a command replaces for the next Action, from the event before it,
            the arguments, and what was there before the flow had anything pending (`FlowState.stored`).
        apply: adds a recorded command to the effects; reads nothing but the command and the draft.
        denies: the Action's completion ends the flow as denied.
        suspends: the Action's completion suspends the flow.
    """

    path: str
    kind: Kind
    returns: Returns
    doc: str
    parameters: tuple[Parameter, ...] = ()
    options: Options | None = None
    value: Any = None
    source: Source = "docs"
    decided: str = ""
    gate: str | None = None
    error_prefix: str = ""
    run: Callable[[Call], Any] | None = field(default=None, repr=False)
    change: Callable[[Mapping[str, Any], Mapping[str, Any]], list[Change]] | None = field(
        default=None, repr=False
    )
    later: Callable[[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]], list[Change]] | None = field(
        default=None, repr=False
    )
    apply: Callable[[Draft, RecordedCommand], None] | None = field(default=None, repr=False)
    denies: bool = False
    suspends: Literal["redirect", "prompt", "challenge", "enroll"] | None = None

    @property
    def state(self) -> Literal["available", "gated"]:
        """Whether the member works without a feature being turned on."""
        return "gated" if self.gate else "available"

    @property
    def prefix(self) -> str:
        """The beginning of the member's errors."""
        return self.error_prefix or f"api.{self.path}:"

    @property
    def namespace(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @cached_property
    def arguments(self) -> TypeAdapter[dict[str, Any]]:
        """All arguments as one object: parameters by name, options under the name of their object."""
        keys = {item.name: _key(item) for item in self.parameters}
        if self.options is not None:
            keys[self.options.name] = _options_key(self.options)
        return _record("Arguments", keys)

    @cached_property
    def annotations(self) -> dict[str, Any]:
        """Annotation of each argument by name, as errors describe it."""
        known = {item.name: item.type for item in self.parameters}
        if self.options is not None:
            known[self.options.name] = _typed_dict(
                self.options.name, {item.name: item.type for item in self.options.members}
            )
        return known

    @cached_property
    def hidden(self) -> set[str]:
        """Names of arguments and options whose values no error may quote."""
        names = {item.name for item in self.parameters if item.sensitive}
        if self.options is not None:
            names |= {item.name for item in self.options.members if item.sensitive}
        return names

    def wire(self) -> list[Any]:
        """`[returns, parameters, options?, messages?]` as docs/decisions/0002 lays down."""
        options: tuple[Option, ...] = self.options.members if self.options is not None else ()
        wire: list[Any] = [self.returns, [item.name for item in self.parameters]]
        if self.options is not None:
            wire.append([item.name for item in options])
        messages = [item.name for item in self.parameters if item.message]
        messages += [item.name for item in options if item.message]
        if messages:
            wire[2:] = [wire[2] if len(wire) > 2 else None, messages]
        return wire


_typed_dict: Final[Any] = TypedDict
"""Called with computed names and keys, which type checkers cannot follow."""


def _key(item: Parameter | Option) -> Any:
    kind = Any if item.raw else item.type
    return kind if item.required else NotRequired[kind]


def _options_key(options: Options) -> Any:
    keys = {item.name: _key(item) for item in options.members}
    kind = _typed_dict(options.name, keys)
    kind.__pydantic_config__ = ConfigDict(extra="forbid" if options.closed else "ignore")
    return kind if options.required else NotRequired[kind]


def _record(name: str, keys: dict[str, Any]) -> TypeAdapter[dict[str, Any]]:
    return TypeAdapter(_typed_dict(name, keys))


@dataclass(frozen=True)
class Surface:
    """All members of one trigger's api."""

    methods: tuple[Method, ...]

    def __post_init__(self) -> None:
        if len(self._by_path) != len(self.methods):
            raise ValueError("two members of a surface have the same path")

    @cached_property
    def _by_path(self) -> dict[str, Method]:
        return {method.path: method for method in self.methods}

    def get(self, path: str) -> Method | None:
        """The member at `path`, such as `accessToken.setCustomClaim`."""
        return self._by_path.get(path)

    def wire(self) -> dict[str, Any]:
        """The surface as guests receive it: objects are namespaces, arrays are methods."""
        tree: dict[str, Any] = {}
        for method in self.methods:
            node = tree
            for part in method.namespace.split("."):
                node = node.setdefault(part, {})
            node[method.name] = method.wire()
        return tree
