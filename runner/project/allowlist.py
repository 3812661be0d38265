"""The hosts that an Action in a file may reach: declared beside it, as a service keeps them for each Action.

    package.json    {"actionbox": {"allow": {"sms.js": ["POST api.sms.example/v1"]}}}

    pyproject.toml  [tool.actionbox.allow]
                    "sms.py" = ["POST api.sms.example/v1"]

A file that is not named there reaches what the installation allows; one with an empty list reaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runner.model.caps import MAX_ALLOW_RULES
from runner.model.errors import ActionError
from runner.project.dependencies import MANIFEST
from runner.project.lockfile import invalid, read_json
from runner.project.pyproject import MANIFEST as PYPROJECT
from runner.project.pyproject import declared_tables
from sandbox.core.program import Language
from sandbox.egress.policy.allow import AllowRule, parse_allow

Rules = tuple[AllowRule, ...]


def declared_rules(path: Path, language: Language) -> Rules | None:
    """The allow-list of the Action in the file `path`; None when nothing is declared for it.

    Raises:
        ActionError: `invalid_package_json`, `invalid_pyproject`.
    """
    if language is Language.PYTHON:
        manifest, code = path.with_name(PYPROJECT), "invalid_pyproject"
        own: Any = declared_tables(manifest)
    else:
        manifest, code = path.with_name(MANIFEST), "invalid_package_json"
        own = read_json(manifest).get("actionbox") if manifest.is_file() else None
    listed = own.get("allow") if isinstance(own, dict) else None
    if listed is None:
        return None
    where = "tool.actionbox.allow" if language is Language.PYTHON else "actionbox.allow"

    def wrong(problem: str) -> ActionError:
        return invalid(manifest, problem, code)

    if not isinstance(listed, dict):
        raise wrong(f"{where} must name files, each with a list of hosts")
    return None if path.name not in listed else _parsed(listed[path.name], f"{where}.{path.name}", wrong)


def _parsed(texts: Any, where: str, wrong: Callable[[str], ActionError]) -> Rules:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise wrong(f"{where} must be a list of texts, such as 'GET,POST api.example.com/v1'")
    try:
        return parse_rules(texts)
    except ValueError as error:
        raise wrong(f"{where}: {error}") from None


def parse_rules(texts: Sequence[str]) -> Rules:
    """Rules as people write them (`sandbox.egress.policy.allow.parse_allow`).

    Raises:
        ValueError: with what is wrong.
    """
    if len(texts) > MAX_ALLOW_RULES:
        raise ValueError(f"has {len(texts)} hosts; at most {MAX_ALLOW_RULES} are taken")
    return tuple(map(parse_allow, texts))
