"""Which build of a package is bundled: the one for Node, or the one for browsers.

Actions are written for Node, so its build is taken, and what a package offers to browsers is hidden from the
bundler. The packages named here are taken as browsers get them: with `fetch`, and without looking for
credentials in files and on metadata services, which an Action has not.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_BROWSER: Final = re.compile(r"@aws-sdk/.+|@smithy/.+|@aws-crypto/.+")
_MANIFEST: Final = "package.json"


def rewrite(package: str, path: str, content: bytes) -> bytes:
    """A file of `package`, on its way to the bundler: only the `package.json` is changed, in memory and
    after it was verified."""
    if path.rpartition("/")[2] != _MANIFEST:
        return content
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return content
    if not isinstance(data, dict):
        return content
    hidden = "node" if _BROWSER.fullmatch(package) else "browser"
    if hidden == "browser":
        data.pop("browser", None)
    for field in ("exports", "imports"):
        if field in data:
            data[field] = _without(data[field], hidden)
    return json.dumps(data).encode()


def _without(tree: Any, condition: str) -> Any:
    """`tree` (an `exports` or `imports` value) as it is where `condition` does not hold."""
    if isinstance(tree, dict):
        return {key: _without(item, condition) for key, item in tree.items() if key != condition}
    if isinstance(tree, list):
        return [_without(item, condition) for item in tree]
    return tree
