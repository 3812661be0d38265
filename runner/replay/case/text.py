"""Case files as text: YAML that reads back as what was written."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./@ -]*[A-Za-z0-9_./]|[A-Za-z]")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


class _Dumper(yaml.SafeDumper):
    """Quotes all texts but plain words: readers of YAML differ in what else they take for a text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base's shape
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    plain = _PLAIN.fullmatch(value) is not None and value.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def case_text(case: dict[str, Any], head: str) -> str:
    """The file's text. `head`: a comment for its first lines."""
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    return comment + yaml.dump(case, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)
