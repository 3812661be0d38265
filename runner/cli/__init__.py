"""The console command `actionbox`."""

from runner.cli.entry import main

__all__ = ["main"]
