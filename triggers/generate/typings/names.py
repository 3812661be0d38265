"""Spellings of one name in JSON, JavaScript, TypeScript and Python."""

from __future__ import annotations

import keyword


def camel_case(name: str) -> str:
    """`access_token` becomes `accessToken`; the Python guest looks names up by this rule."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def snake_case(name: str) -> str:
    """`accessToken` becomes `access_token`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def python_name(name: str) -> str:
    """The attribute under which Python reads a JSON property.

    A keyword gets an underscore behind it (`from_`), which the guest's rule drops again. Names that no
    snake_case spelling leads to, such as `NewDevice`, stay as they are.
    """
    snake = snake_case(name)
    if keyword.iskeyword(snake):
        return f"{snake}_"
    return snake if camel_case(snake) == name else name


def pascal_case(name: str) -> str:
    """`samlResponse` becomes `SamlResponse`."""
    return name[:1].upper() + name[1:]


def subject(handler: str) -> str:
    """The subject of a handler: `onExecutePostLogin` becomes `PostLogin`."""
    return handler.removeprefix("onExecute").removeprefix("onContinue")


def python_handler(handler: str) -> str:
    """`onExecutePostLogin` becomes `on_execute_post_login`."""
    return snake_case(handler)
