"""Typings that editors and type checkers read, made from a trigger's declaration."""

from __future__ import annotations

from triggers.typings.dts import declarations as javascript
from triggers.typings.pyi import module_name as python_module
from triggers.typings.pyi import stub as python

__all__ = ["javascript", "python", "python_module"]
