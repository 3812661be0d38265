"""YAML for case files: the 1.2 core schema, so that `yes`, `on` and dates stay strings; no duplicate keys."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from runner.model.errors import InputError
from runner.project.jsonfile import check_depth


class _Loader(yaml.SafeLoader):
    """SafeLoader with the core schema's scalars. PyYAML's own are YAML 1.1: `no` is false there, `010` is
    eight and `12:30:00` a number, none of which a case file means."""


_Loader.yaml_implicit_resolvers = {}
_SCALARS: Final = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
)
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.yaml_implicit_resolvers[""] = _Loader.yaml_implicit_resolvers.pop("\0")


def _int(loader: _Loader, node: yaml.ScalarNode) -> int:
    return int(loader.construct_scalar(node))


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(loader.construct_scalar(node))


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a string", key_node.start_mark)
        if key_node.value in seen:
            problem = f"the key {key_node.value!r} is given twice"
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        seen.add(key_node.value)
    loader.flatten_mapping(node)
    return {
        str(key_node.value): loader.construct_object(value_node, deep=True)
        for key_node, value_node in node.value
    }


_KEPT: Final = ("str", "bool", "null", "seq")
_Loader.yaml_constructors = {
    tag: make
    for tag, make in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in _KEPT
}
_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def parse_yaml(text: str, what: str, name: str) -> Any:
    """The value of one YAML document.

    Raises:
        InputError: `not_yaml`, with line and column where known.
    """
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with fewer resolvers
        check_depth(value, what, name)
        return value
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        message = f"{what} {name} is not YAML: {error.problem or error.context}{place}"
        raise InputError("not_yaml", message, source=name) from None
    except yaml.YAMLError as error:
        first = str(error).partition("\n")[0]
        raise InputError("not_yaml", f"{what} {name} is not YAML: {first}", source=name) from None
    except (RecursionError, ValueError) as error:
        raise InputError("not_yaml", f"{what} {name} is not YAML: {error}", source=name) from None
