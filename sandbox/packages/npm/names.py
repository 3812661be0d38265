"""The grammar of package names and wanted versions: everything else is refused before it goes anywhere, so
that no name can be read as an option, a path or a part of a URL (threat-model D4)."""

from __future__ import annotations

import re
from typing import Final

from sandbox.core.caps import MAX_PACKAGE_NAME, MAX_PACKAGE_VERSION
from sandbox.packages.errors import DependencyError

_PART: Final = r"[a-z0-9~-][a-z0-9._~-]*"
_NAME: Final = re.compile(rf"(?:@{_PART}/)?{_PART}")
_OLD_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
"""Names from before npm asked for lower case, such as `JSONStream`."""
_WANTED: Final = re.compile(r"[0-9A-Za-z.+~^<>=|*\- \t]*")
_RESERVED: Final = frozenset({"node_modules", "favicon.ico"})


def check_name(name: str) -> str:
    """`name`, when it is the name of an npm package. Raises `DependencyError` (`name`)."""
    if (
        not isinstance(name, str)
        or len(name) > MAX_PACKAGE_NAME
        or not (_NAME.fullmatch(name) or _OLD_NAME.fullmatch(name))
        or name.lower() in _RESERVED
        or name.startswith("-")
    ):
        shown = name[:100] if isinstance(name, str) else name
        raise DependencyError(
            "name",
            f"{shown!r} is not the name of an npm package.",
            next_step="Use the name as the npm registry has it, without a version.",
        )
    return name


def check_wanted(name: str, wanted: str) -> str:
    """`wanted` without surrounding blanks, when it is a version, a range or a tag; blank is `latest`.

    Raises:
        DependencyError: `version`.
    """
    text = wanted.strip() if isinstance(wanted, str) else None
    if text is None or len(text) > MAX_PACKAGE_VERSION or not _WANTED.fullmatch(text) or text[:1] == "-":
        shown = str(wanted)[:100]
        raise DependencyError(
            "version",
            f"{shown!r} is not a version, a range or a tag of {name}.",
            package=name,
            next_step="Write a version such as 1.2.3, a range such as ^1.2.3, or latest.",
        )
    return text or "latest"


def split_specifier(specifier: str) -> tuple[str, str]:
    """The package and the rest of what is required: `@scope/name/sub/path` is `@scope/name`, `sub/path`.
    A version after the name (`name@1.2.3`), as old runtimes had it, is left out."""
    parts = specifier.split("/")
    count = 2 if specifier.startswith("@") else 1
    name = "/".join(parts[:count])
    at = name.find("@", 1)
    return (name[:at] if at > 0 else name), "/".join(parts[count:])
