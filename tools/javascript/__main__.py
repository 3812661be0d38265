"""`python -m tools.javascript`: oxlint and tsc, which npm installs by the lock file beside this module.

Both run under the Node that comes with us, so that a contributor needs none.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from sandbox.javascript.toolchain import installed, node

HERE: Final = Path(__file__).parent
LINTED: Final = ("sandbox/javascript", "samples", "bench")
"""Not tests and probes, whose JavaScript is wrong on purpose."""


def main() -> int:
    """Run all checks from the root of the repository; 0 when none has found anything."""
    modules = installed(HERE, lambda text: print(text, file=sys.stderr))  # noqa: T201 - a command
    types = ("--typeRoots", str(modules / "@types"))
    return max(
        _run(modules / "oxlint" / "bin" / "oxlint", "--config", str(HERE / "oxlintrc.json"), *LINTED),
        _run(modules / "typescript" / "bin" / "tsc", "--project", str(HERE / "tsconfig.json")),
        _run(modules / "typescript" / "bin" / "tsc", "--project", str(HERE / "tsconfig.node.json"), *types),
    )


def _run(script: Path, *arguments: str) -> int:
    return subprocess.run([str(node()), str(script), *arguments], check=False).returncode  # noqa: S603 - a list


if __name__ == "__main__":
    sys.exit(main())
