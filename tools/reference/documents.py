"""`python -m tools.reference` writes the generated documents; `--check` only says which are stale."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.reference.compatibility import compatibility
from tools.reference.pages import reference
from triggers.registry import known_triggers

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"


def documents() -> dict[str, str]:
    """Text of each generated document, by its path below `docs/`."""
    pages = {f"triggers/{trigger.id}.md": reference(trigger) for trigger in known_triggers()}
    return {**pages, "compatibility.md": compatibility()}


def stale(docs: Path = DOCS) -> list[str]:
    """Documents below `docs` that differ from what the declarations give, or are missing."""
    return [path for path, text in documents().items() if _read(docs / path) != text]


def write(docs: Path = DOCS) -> list[str]:
    """Rewrite the stale documents; their paths."""
    texts = documents()
    changed = stale(docs)
    for path in changed:
        (docs / path).parent.mkdir(parents=True, exist_ok=True)
        (docs / path).write_text(texts[path], encoding="utf-8")
    return changed


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0, or 1 when `--check` found stale documents."""
    check = "--check" in arguments
    changed = stale() if check else write()
    for path in changed:
        sys.stdout.write(f"{'stale' if check else 'wrote'} docs/{path}\n")
    return int(check and bool(changed))
