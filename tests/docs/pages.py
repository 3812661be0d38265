"""The fenced blocks of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page below `docs` whose language is `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S)


def shown_lines(text: str) -> str:
    """A pattern of what a block shows: `…` is anything, and addresses and homes are anybody's."""
    lines = []
    for line in text.splitlines():
        line = re.sub(r"(https?)://localhost:\d+", r"\1://localhost:0", line.strip())
        line = re.sub(r"(sqlite:///)?/home/you/\S*/", "…", line)
        lines.append(re.escape(re.sub(r"\s+", " ", line)).replace("…", ".+").replace(":0", r":\d+"))
    return r"(?:.*\n)*?".join(f"{line}\n" for line in lines if line)


def matches(shown: str, printed: str) -> bool:
    """Whether the lines of `shown` are printed, in this order."""
    plain = "".join(re.sub(r"\s+", " ", line).strip() + "\n" for line in printed.splitlines())
    return re.search(shown_lines(shown), plain) is not None


def count(page: str) -> int:
    """Blocks of a page, in any language."""
    return len(re.findall(r"^```[a-z]", (ROOT / page).read_text(encoding="utf-8"), re.M))
