"""The runtimes that an Action may name, and what they mean for its source."""

from __future__ import annotations

from typing import Final

from sandbox.core.program import Language

PYTHON: Final = "python3"
DEFAULT: Final = "node22"
LANGUAGES: Final = {
    "node22": Language.JAVASCRIPT,
    "node18-actions": Language.JAVASCRIPT,
    "node18": Language.JAVASCRIPT,
    "node16": Language.JAVASCRIPT,
    "node12": Language.JAVASCRIPT,
    PYTHON: Language.PYTHON,
}
"""Language by runtime. The Node versions of reference/limits.md all run on the one JavaScript engine;
`python3` is ours."""
_SUFFIXES: Final = {Language.JAVASCRIPT: ".js", Language.PYTHON: ".py"}


def file_name(name: str, runtime: str) -> str:
    """The file name of the Action or module `name` in failures."""
    return name + _SUFFIXES[LANGUAGES.get(runtime, Language.JAVASCRIPT)]
