"""Typings that editors and type checkers read, made from a trigger's declaration."""

from __future__ import annotations

from triggers.generate.typings.dts import declarations as javascript
from triggers.generate.typings.pyi import module_name as python_module
from triggers.generate.typings.pyi import stub as python

__all__ = ["javascript", "python", "python_module"]
