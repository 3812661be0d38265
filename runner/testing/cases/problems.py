"""Problems that pydantic found, in sentences for the author of a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import ValidationError

_UNIONS: Final = frozenset({"constrained-str", "float", "int", "str"})


def sentences(error: ValidationError, known: Iterable[str]) -> Iterator[str]:
    """One sentence per problem, each with its path; `known` keys are offered for misspelt ones."""
    known = list(known)
    for item in error.errors(include_url=False):
        place = _place(item["loc"])
        if item["type"] == "extra_forbidden":
            yield f"{place}: unknown key{_nearest(str(item['loc'][-1]), known)}"
        elif item["type"] == "missing":
            yield f"{place}: is missing"
        else:
            yield f"{place}: {item['msg'].removeprefix('Value error, ')}"


def _place(location: tuple[int | str, ...]) -> str:
    """`$.cases[0].expect`; the names of union members that pydantic adds are left out."""
    parts = [part for part in location if part not in _UNIONS and "[" not in str(part)]
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
