"""Event objects: dictionaries whose items are attributes too."""

import json
from typing import Any, SupportsIndex


class Record(dict):
    """A JSON object of the event.

    An attribute is the item of that name, else the item whose camelCase or PascalCase name it is in
    snake_case (`event.access_token` reads `accessToken`, `assessments.new_device` reads `NewDevice`), else
    None. Methods of dict win over items of their name.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name[:1] == "_":
            raise AttributeError(name)
        return self.get(own_name(self, name))

    def __missing__(self, name: object) -> Any:
        if isinstance(name, str):
            key = own_name(self, name)
            if key in self:
                return self[key]
        raise KeyError(name)

    def __setattr__(self, name: str, value: object) -> None:
        self[own_name(self, name)] = value

    def __delattr__(self, name: str) -> None:
        key = own_name(self, name)
        if key not in self:
            raise AttributeError(f"the object has no '{name}'", name=name, obj=None)
        del self[key]

    def __copy__(self) -> "Record":
        return Record(self)

    def __reduce_ex__(self, _protocol: SupportsIndex) -> tuple[type, tuple[dict[str, Any]]]:
        return (Record, (dict(self),))


def own_name(record: Record, name: str) -> str:
    """The key that `name` means in this record: itself, or its camelCase or PascalCase form if only that
    exists. Risk assessments are PascalCase, and a misspelt one would read as "no risk"."""
    if name in record:
        return name
    key = camel_case(name)
    if key in record:
        return key
    if "_" in name:
        for pascal in (key[:1].upper() + key[1:], _initials(name)):
            if pascal in record:
                return pascal
    return name


def _initials(name: str) -> str:
    """`untrusted_ip` -> `UntrustedIP`: words of two letters are initials."""
    return "".join(
        part.upper() if len(part) == 2 else part[:1].upper() + part[1:] for part in name.split("_")
    )


_camel: dict[str, str] = {}


def camel_case(name: str) -> str:
    """`access_token` -> `accessToken`. Remembered: the same few names are asked for again and again."""
    found = _camel.get(name)
    if found is None:
        head, *rest = name.split("_")
        found = head + "".join(part[:1].upper() + part[1:] for part in rest)
        if len(_camel) < 1000:
            _camel[name] = found
    return found


def snake_case(name: str) -> str:
    """`accessToken` -> `access_token`."""
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


_decode = json.JSONDecoder(object_hook=Record).decode


def parse(text: str) -> Any:
    """JSON text from the host, with every object a `Record`."""
    return _decode(text)


def replace(root: Record, path: list[str], value: Any) -> None:
    """Put `value` at `path` (keys, or indexes as text) of `root`, making objects on the way."""
    target: Any = root
    for key in path[:-1]:
        if isinstance(target, list):
            target = target[int(key)]
            continue
        inner = dict.get(target, key)
        if not isinstance(inner, (dict, list)):
            inner = Record()
            dict.__setitem__(target, key, inner)
        target = inner
    if isinstance(target, list):
        target[int(path[-1])] = value
    else:
        dict.__setitem__(target, path[-1], value)
