"""Edits planted into real Actions, as `edits.yaml` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from runner.shadow.differences import Cause


@dataclass(frozen=True)
class Edit:
    """`old` becomes `new` in the file of this name, on a leg of a case of the case file `cases`.

    Attributes:
        cause: what the leg is to be put down to; None for no difference.
        path: of that difference, where it matters.
    """

    cases: str
    case: str
    file: str
    old: str
    new: str
    cause: Cause | None
    path: str = ""
    leg: int = 0

    @property
    def id(self) -> str:
        return f"{self.file}: {self.old[:40]!r}"


def _read() -> tuple[Edit, ...]:
    found = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
    return tuple(Edit(**{**item, "cause": item["cause"] and Cause(item["cause"])}) for item in found)


EDITS: Final = _read()
