"""What one part of the benchmarks found; the printed table and the results file are both made of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from bench.measure import Spread


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number.

    Attributes:
        unit: what it counts, such as `ms`, `MiB`, `1/s`; `x` for a multiple of another figure.
        digits: after the point, in the table.

    Raises:
        ValueError: there is no unit, or the value is no finite number.
    """

    value: float
    unit: str
    digits: int = 1

    def __post_init__(self) -> None:
        if not self.unit or not math.isfinite(self.value):
            raise ValueError(f"a figure is a finite number with a unit, not {self.value!r} {self.unit!r}")

    def __str__(self) -> str:
        return f"{self.value:.{self.digits}f} {self.unit}"


Cell = str | Figure | Spread


@dataclass(slots=True)
class Report:
    """Rows that `labels` name, with figures (or words) in `columns`.

    Attributes:
        versions: of the peers that were measured, by name.
        left_out: what could not be measured, with the reason.
    """

    title: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    versions: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    left_out: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def add(self, *cells: Cell) -> None:
        """A row: its labels first, then a cell for each column; the last ones may be missing."""
        if not len(self.labels) <= len(cells) <= len(self.labels) + len(self.columns):
            raise ValueError(f"{len(cells)} cells for {self.labels} and {self.columns}")
        self.rows.append(cells)

    def leave_out(self, *labels: str, why: str) -> None:
        """A row that could not be measured. `why`: what to do about it, without paths or addresses of this
        machine, which would be in the file."""
        self.left_out.append((labels, why))

    def table(self) -> Table:
        """For people."""
        made = Table(*self.labels, title=self.title)
        for column in self.columns:
            made.add_column(column, justify="right")
        for row in self.rows:
            made.add_row(*(str(cell) for cell in row))
        if self.left_out:
            made.caption = "\n".join(f"Not measured: {', '.join(of)}: {why}" for of, why in self.left_out)
        return made

    def figures(self) -> Iterator[dict[str, Any]]:
        """Each with `of` (the labels of its row), `name`, `unit` and `value`, for machines."""
        for row in self.rows:
            of = {label: str(cell) for label, cell in zip(self.labels, row, strict=False) if str(cell)}
            for column, cell in zip(self.columns, row[len(self.labels) :], strict=False):
                for name, figure in _figures(column, cell):
                    yield {"of": of, "name": name, "unit": figure.unit, "value": float(f"{figure.value:.4g}")}


def _figures(column: str, cell: Cell) -> Iterator[tuple[str, Figure]]:
    if isinstance(cell, Figure):
        yield column, cell
    elif isinstance(cell, Spread):
        yield f"{column} p50", Figure(cell.p50, "ms")
        yield f"{column} p99", Figure(cell.p99, "ms")
