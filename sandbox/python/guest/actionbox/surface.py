"""`api`, built from the trigger's surface (docs/decisions/0002); no trigger is known here."""

import difflib
import json
from collections.abc import Iterable
from typing import Any

from . import loop, wire
from .encoder import MAX_ARGUMENTS, clean, encode
from .errors import api_error
from .records import Record, camel_case, parse, replace, snake_case


class _Sealed(type):
    """The type of `Api`: an attribute put on the class would stand before the members of the surface."""

    def __setattr__(cls, name: str, _value: object) -> None:
        raise AttributeError(f"members of the api cannot be replaced or added, as {name} would be")


class Api(metaclass=_Sealed):
    """One namespace of the api. Members are made when first asked for, and those of the root are read from
    their JSON only then: most Actions use two or three of them.
    """

    __slots__ = ("_members", "_path", "_session")

    def __init__(self, session: "Session", members: dict[str, Any], path: str = "") -> None:
        object.__setattr__(self, "_session", session)
        object.__setattr__(self, "_members", members)
        object.__setattr__(self, "_path", path)

    def __getattr__(self, name: str) -> Any:
        key = name if name in self._members else camel_case(name)
        member = self._members.get(key)
        if member is None or name[:1] == "_":
            raise AttributeError(_unknown(self._path, name, self._members))
        if type(member) is str:
            member = self._members[key] = json.loads(member)
        path = f"{self._path}.{key}" if self._path else key
        return (
            Api(self._session, member, path) if type(member) is dict else Method(self._session, path, member)
        )

    def __setattr__(self, name: str, _value: object) -> None:
        raise AttributeError(f"{_label(self._path)}.{name} cannot be replaced")

    def __dir__(self) -> list[str]:
        return [snake_case(name) for name in self._members]

    def __repr__(self) -> str:
        return f"<{_label(self._path)}>"


class Method:
    """One callable member of the api."""

    __slots__ = ("_messages", "_options", "_parameters", "_path", "_returns", "_session")

    def __init__(self, session: "Session", path: str, member: list[Any]) -> None:
        self._session = session
        self._path = path
        self._returns = member[0]
        self._parameters: list[str] = member[1] if len(member) > 1 else []
        self._options: list[str] | None = member[2] if len(member) > 2 else None
        self._messages: list[str] = member[3] if len(member) > 3 else []

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        plain = not options and self._options is None
        ready = arguments if plain else self._arranged(list(arguments), options)
        if self._messages:
            ready = self._spoken(list(ready))
        return self._session.call(self._path, self._returns, encode(ready, MAX_ARGUMENTS))

    def _spoken(self, places: list[Any]) -> list[Any]:
        """The arguments with the message of an exception in its place, where a message is wanted."""
        for index, name in enumerate(self._parameters[: len(places)]):
            if name in self._messages:
                places[index] = _saying(places[index])
        count = len(self._parameters)
        if len(places) > count and any(name in self._messages for name in self._options or ()):
            options = _saying(places[count])
            places[count] = (
                {
                    key: _saying(value) if key in self._messages else value
                    for key, value in dict.items(options)
                }
                if isinstance(options, dict)
                else options
            )
        return places

    def _arranged(self, places: list[Any], named: dict[str, Any]) -> list[Any]:
        """Positional and keyword arguments as the host's list: parameters, then one options object."""
        count = len(self._parameters)
        if self._options is not None and len(places) > count and isinstance(places[count], dict):
            places[count] = self._renamed(places[count])
        extra: dict[str, Any] = {}
        for name, value in named.items():
            key = _spelled(name, self._parameters)
            if key is None:
                extra[self._option(name)] = value
            else:
                self._place(places, self._parameters.index(key), name, value)
        if extra:
            self._add_options(places, extra)
        return places

    def _place(self, places: list[Any], index: int, name: str, value: Any) -> None:
        if index < len(places) and places[index] is not None:
            raise TypeError(f"{_label(self._path)}() got multiple values for argument '{name}'")
        places.extend([None] * (index + 1 - len(places)))
        places[index] = value

    def _add_options(self, places: list[Any], extra: dict[str, Any]) -> None:
        """Put keyword options into the options object; None means that an option is left out."""
        count = len(self._parameters)
        places.extend([None] * (count - len(places)))
        given = {key: value for key, value in extra.items() if value is not None}
        if len(places) == count:
            places.append(given)
        elif isinstance(places[count], dict):
            places[count] = {**places[count], **given}
        else:
            raise TypeError(f"{_label(self._path)}() takes its options as keywords or as one dict, not both")

    def _option(self, name: str) -> str:
        key = _spelled(name, self._options or ())
        if key is not None:
            return key
        if self._options is not None and not self._options:
            return camel_case(name)
        known = [snake_case(key) for key in (*self._parameters, *(self._options or ()))]
        text = f"{_label(self._path)}() got an unexpected keyword argument '{name}'"
        raise TypeError(text + _hint(name, known))

    def _renamed(self, options: dict[Any, Any]) -> dict[Any, Any]:
        known = self._options or ()
        return {_spelled(key, known) or key: value for key, value in dict.items(options)}

    def __repr__(self) -> str:
        return f"<{_label(self._path)}>"


class Session:
    """The api calls of one execution: sends them, raises their errors, applies changes of the event.

    Args:
        event: of this execution.
        surface: a line for each member of the root: its name, a tab, its JSON.
    """

    __slots__ = ("event", "root")

    def __init__(self, event: Record, surface: str) -> None:
        self.event = event
        self.root = Api(self, dict([line.split("\t", 1) for line in surface.split("\n") if line]))

    def call(self, path: str, returns: str, arguments: str) -> Any:
        text = wire.call("api." + path, arguments)
        reply = parse(text) if text else {}
        for where, value in reply.get("event") or ():
            replace(self.event, where, value)
        error = reply.get("error")
        if returns == "promise":
            return _settled(reply, error)
        if error is not None:
            raise api_error(error)
        if returns == "api":
            return self.root
        return reply.get("ok") if returns == "value" else None


def _settled(reply: dict[str, Any], error: dict[str, Any] | None) -> Any:
    """An awaitable of an answer that is already there."""
    future = loop.current().create_future()
    if error is None:
        future.set_result(reply.get("ok"))
    else:
        future.set_exception(api_error(error))
    return future


def _saying(value: Any) -> Any:
    """The message of an exception, its class's name when it has none; any other value as it is."""
    if not isinstance(value, BaseException):
        return value
    try:
        return str(value) or type(value).__name__
    except Exception:  # a `__str__` of the tenant's
        return type(value).__name__


def _spelled(name: Any, keys: Iterable[str]) -> str | None:
    """The member of `keys` that `name` spells, as it stands or in snake_case."""
    if not isinstance(name, str):
        return None
    camel = camel_case(name)
    return next((key for key in keys if key in (name, camel) or snake_case(key) == name), None)


def _label(path: str) -> str:
    """`idToken.setCustomClaim` as a tenant writes it: `api.id_token.set_custom_claim`."""
    return ".".join(["api", *(snake_case(part) for part in path.split(".") if part)])


def _unknown(path: str, name: str, members: Iterable[str]) -> str:
    known = [snake_case(member) for member in members]
    return f"{_label(path)} has no member '{clean(name)}'{_hint(name, known)}"


def _hint(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; it has {', '.join(known)}" if known else ""
