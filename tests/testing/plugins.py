"""How a nested pytest run gets the plugin: from the installed package, or by name in a checkout."""

from __future__ import annotations

from importlib import metadata


def plugin_arguments() -> tuple[str, ...]:
    """Arguments for `pytester.runpytest`; naming a plugin that is installed would register it twice."""
    installed = any(
        item.value == "runner.testing.pytest_plugin" for item in metadata.entry_points(group="pytest11")
    )
    return () if installed else ("-p", "runner.testing.pytest_plugin")
