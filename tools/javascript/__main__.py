"""`python -m tools.javascript`: oxlint and tsc, which npm installs by the lock file beside this module.

The console is checked too, and its components are tested with vitest. All run under the Node that comes
with us, so that a contributor needs none.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from sandbox.javascript.toolchain import installed, node
from tools.javascript.console import WEB, checked_copy

HERE: Final = Path(__file__).parent
LINTED: Final = ("sandbox/javascript", "samples", "bench", str(WEB))
"""Not tests and probes, whose JavaScript is wrong on purpose."""


def main() -> int:
    """Run all checks from the root of the repository; 0 when none has found anything.

    With the argument `console`, only those of the console.
    """
    modules = installed(HERE, _say)
    console = _console(modules)
    if sys.argv[1:] == ["console"]:
        return console
    types = ("--typeRoots", str(modules / "@types"))
    return max(
        console,
        _run(modules / "oxlint" / "bin" / "oxlint", "--config", str(HERE / "oxlintrc.json"), *LINTED),
        _run(modules / "typescript" / "bin" / "tsc", "--project", str(HERE / "tsconfig.json")),
        _run(modules / "typescript" / "bin" / "tsc", "--project", str(HERE / "tsconfig.node.json"), *types),
    )


def _console(modules: Path) -> int:
    packages = installed(WEB, _say)
    with checked_copy(packages) as copy:
        return max(
            _run(copy / "types.mjs", "src/api/schema", str(Path("docs/openapi").resolve()), cwd=copy),
            _run(modules / "typescript" / "bin" / "tsc", "--project", "tsconfig.json", cwd=copy),
            _run(packages / "vitest" / "vitest.mjs", "run", cwd=copy),
            _run(copy / "build.mjs", "dist", cwd=copy),
        )


def _run(script: Path, *arguments: str, cwd: Path | None = None) -> int:
    command = [str(node()), str(script), *arguments]
    return subprocess.run(command, check=False, cwd=cwd).returncode  # noqa: S603 - a list


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - a command


if __name__ == "__main__":
    sys.exit(main())
