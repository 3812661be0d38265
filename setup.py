"""Puts the console's bundle into wheels; everything else is in pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent


class WithConsole(build_py):
    """Builds the bundle where the project's dependencies are installed. Elsewhere, as in an isolated build,
    the wheel has the console's sources alone, from which `actionbox images` builds it."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        sys.path.insert(0, str(HERE))
        try:
            from runner.console import bundle
        except ImportError as error:
            sys.stderr.write(f"the wheel has no bundle of the console: {error}\n")
            return
        finally:
            sys.path.remove(str(HERE))
        target = Path(self.build_lib) / "runner" / "console" / bundle.PACKAGED.name
        target.write_bytes(bundle.packed(lambda text: print(text, file=sys.stderr)))  # noqa: T201 - a build


setup(cmdclass={"build_py": WithConsole})
