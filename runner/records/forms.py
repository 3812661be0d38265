"""The redacted form of a record, which people see unless they give a reason for the plain one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from runner.privacy.redaction import RULES, Touched, redacted
from runner.replay.execution_record import ExecutionRecord

PSEUDONYMS = "pseudonyms"
"""Name of the tenant's key that pseudonyms depend on, see `runner.records.subjects.tenant_key`."""
_ORDER = ("exact", "same decision", "unknown", "differs")


def redacted_form(record: ExecutionRecord, key: bytes) -> ExecutionRecord:
    """`record`, which is plain, with pseudonyms that depend on `key`."""
    legs = [redacted(leg, key) for leg in record.legs]
    return record.model_copy(
        update={
            "form": "redacted",
            "legs": tuple(leg for leg, _ in legs),
            "redaction": _together([touched for _, touched in legs]).model_dump(mode="json"),
        }
    )


def fidelity_of(legs: Sequence[dict[str, Any] | None]) -> dict[str, Any] | None:
    """The fidelity of an execution from those of its legs: the worst of them, with the number of its leg;
    None while one of them is not known."""
    known = [leg for leg in legs if leg is not None]
    if not known or len(known) < len(legs):
        return None
    worst = max(range(len(known)), key=lambda at: _ORDER.index(known[at]["verdict"]))
    return {**known[worst], "leg": worst + 1}


def _together(parts: Sequence[Touched]) -> Touched:
    classes: Counter[str] = Counter()
    paths: dict[str, str] = {}
    for part in parts:
        classes.update(part.classes)
        paths.update(part.paths)
    return Touched(rules=RULES, classes=dict(classes), paths=paths, more=max(part.more for part in parts))
