"""Actions from the body of their handler."""

from __future__ import annotations

import textwrap
from typing import Any

from runner.flow.handlers import snake_case
from runner.model.action import Action
from sandbox.core.program import Language, Source


def python(body: str, handler: str = "onExecutePostLogin", name: str = "py", **options: Any) -> Action:
    """A Python Action whose handler has `body`."""
    text = f"async def {snake_case(handler)}(event, api):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
    return Action(name, Source(Language.PYTHON, f"{name}.py", text), **options)


def javascript(body: str, handler: str = "onExecutePostLogin", name: str = "js", **options: Any) -> Action:
    """A JavaScript Action whose handler has `body`."""
    text = f"exports.{handler} = async (event, api) => {{\n{body}\n}};\n"
    return Action(name, Source(Language.JAVASCRIPT, f"{name}.js", text), **options)


def both(first: str, then: str, name: str = "both", **options: Any) -> Action:
    """A JavaScript post-login Action with an execute and a continue handler."""
    text = (
        f"exports.onExecutePostLogin = async (event, api) => {{\n{first}\n}};\n"
        f"exports.onContinuePostLogin = async (event, api) => {{\n{then}\n}};\n"
    )
    return Action(name, Source(Language.JAVASCRIPT, f"{name}.js", text), **options)
