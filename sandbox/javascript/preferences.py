"""Choice of the build of a package that is bundled: the one for Node.

Actions are written for Node, so what a package offers to browsers is hidden from the bundler.
"""

from __future__ import annotations

import json
from typing import Any, Final

_MANIFEST: Final = "package.json"


def rewrite(_package: str, path: str, content: bytes) -> bytes:
    """A file of a package, on its way to the bundler: only the `package.json` is changed, in memory and
    after it was verified."""
    if path.rpartition("/")[2] != _MANIFEST:
        return content
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return content
    if not isinstance(data, dict):
        return content
    data.pop("browser", None)
    for field in ("exports", "imports"):
        if field in data:
            data[field] = _without(data[field], "browser")
    return json.dumps(data).encode()


def _without(tree: Any, condition: str) -> Any:
    """`tree` (an `exports` or `imports` value) as it is where `condition` does not hold."""
    if isinstance(tree, dict):
        return {key: _without(item, condition) for key, item in tree.items() if key != condition}
    if isinstance(tree, list):
        return [_without(item, condition) for item in tree]
    return tree
