"""Triggers of which only the event is published: no page says what their api offers and what becomes of them.

Their Actions can be written against the event, typed, run and tested. A service neither binds nor invokes
them: with an empty api there is nothing that a platform could act on.
"""

from __future__ import annotations

from typing import Final

from triggers.engine.catalogue import current
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

_HANDLER: Final = "The handler is named as those of the other triggers are; no page names it."
_VERSIONS: Final = (current("v1", ("node22",)),)

PASSWORD_HASH_MIGRATION: Final = Trigger(
    id="password-hash-migration",
    summary="A password has to be checked against a hash that was imported.",
    handlers=("onExecutePasswordHashMigration",),
    blocking=True,
    surface=Surface(()),
    versions=_VERSIONS,
    binding_policy="entity-bound",
    max_actions=1,
    experimental="listed by the Management API; its event is known, its api is not published",
    decided=(_HANDLER, "event.plaintext_password is the password in clear: never log it, never store it."),
)

LOGIN_POST_IDENTIFIER: Final = Trigger(
    id="login-post-identifier",
    summary="A user who logs in has said who they are, and not yet proven it.",
    handlers=("onExecuteLoginPostIdentifier",),
    blocking=True,
    surface=Surface(()),
    versions=_VERSIONS,
    experimental="named in the documented list of ids; its event is known, its api is not published",
    listed=False,
    decided=(_HANDLER,),
)

SIGNUP_POST_IDENTIFIER: Final = Trigger(
    id="signup-post-identifier",
    summary="A user who signs up has given an identifier, and nothing else yet.",
    handlers=("onExecuteSignupPostIdentifier",),
    blocking=True,
    surface=Surface(()),
    versions=_VERSIONS,
    experimental="published as Beta typings with an empty api",
    listed=False,
    decided=(
        _HANDLER,
        "api.authentication.setConnectionByName and setOrganization, named in a comment of the typings, do "
        "not exist.",
    ),
)

MCP_TOOL: Final = Trigger(
    id="mcp-tool",
    summary="A tool that an MCP server offers was called.",
    handlers=("onExecuteMcpTool",),
    blocking=True,
    surface=Surface(()),
    versions=_VERSIONS,
    binding_policy="entity-bound",
    max_actions=1,
    experimental="seen in recorded lists of triggers; its event is known, its api is not published",
    decided=(_HANDLER,),
)
