"""The console's front end, put together with its packages so that tsc and vitest find them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

WEB: Final = Path("runner/console/web")


@contextmanager
def checked_copy(packages: Path) -> Iterator[Path]:
    """A copy of the console's sources, with `packages` as its node_modules; gone afterwards.

    Both tools look for packages only beside the sources and above, and nothing is installed into the
    repository.
    """
    with tempfile.TemporaryDirectory(prefix="actionbox-console-") as folder:
        copy = Path(folder) / "web"
        shutil.copytree(WEB, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
        (copy / "node_modules").symlink_to(packages, target_is_directory=True)
        yield copy
