"""Events of the experimental triggers: what is published of them, and nothing guessed beside it."""

from __future__ import annotations

from typing import ClassVar

from triggers.events.model.base import BETA, EXPERIMENTAL, OpenMap, Part, StringMap, may, must
from triggers.events.parts.context import Event
from triggers.events.parts.parties import Client, Connection, ResourceServer, SecurityContext, Tenant
from triggers.events.parts.request import Request
from triggers.events.parts.transaction import SignupTransaction


class Identifier(Part):
    """What the user said who they are."""

    OPEN: ClassVar[bool] = True

    value: str = must("The identifier as it was entered.", state=EXPERIMENTAL)


class IdentifierAuthentication(Part):
    """How far the user has come."""

    OPEN: ClassVar[bool] = True

    identifier: Identifier = must("The identifier.", state=EXPERIMENTAL)


class LoginPostIdentifierEvent(Event):
    """A user who logs in has said who they are."""

    authentication: IdentifierAuthentication = must("How far the user has come.", state=EXPERIMENTAL)


class PasswordHashMigrationEvent(Event):
    """A password has to be checked against an imported hash."""

    custom_hash_required: bool | None = may(
        "Whether the service cannot check the hash by itself.", state=EXPERIMENTAL
    )
    custom_password_hash: OpenMap | None = may(
        "The imported hash and how it was made: algorithm, hash, salt and so on.", state=EXPERIMENTAL
    )
    plaintext_password: str = must("The password that was entered, in clear.", state=EXPERIMENTAL)


class Tool(Part):
    """A tool of an MCP server."""

    OPEN: ClassVar[bool] = True

    description: str | None = may("What the tool does.", state=EXPERIMENTAL)
    name: str = must("Name of the tool.", state=EXPERIMENTAL)


class ToolCall(Part):
    """One call of a tool."""

    OPEN: ClassVar[bool] = True

    params: OpenMap = must("Arguments of the call, by name.", state=EXPERIMENTAL)


class McpToolEvent(Event):
    """A tool was called."""

    tool: Tool = must("The tool.", state=EXPERIMENTAL)
    tool_call: ToolCall = must("The call.", state=EXPERIMENTAL)


class InitialOrganization(Part):
    """The organization that was found before the trigger."""

    OPEN: ClassVar[bool] = True

    id: str = must("Organization id (`org_...`).", state=BETA)
    display_name: str | None = may("Name to show to people.", state=BETA)
    metadata: StringMap | None = may("Metadata of the organization.", state=BETA)
    name: str | None = may("Name used in URLs and claims.", state=BETA)


class IdentifierRequest(Request):
    """The HTTP request behind this execution."""

    asn: str | None = may("Number of the autonomous system the caller is in.")
    query: OpenMap = must("Parameters of the query string.")


class SignupPostIdentifierEvent(Event):
    """A user who signs up has given an identifier."""

    client: Client = must("Application the user signs up for.", state=BETA)
    initial_connection: Connection = must("Connection that was found before the trigger.", state=BETA)
    initial_organization: InitialOrganization | None = may(
        "Organization that was found before the trigger.", state=BETA
    )
    request: IdentifierRequest = must("Request behind this execution.", state=BETA)
    resource_server: ResourceServer | None = may("API a token is asked for.", state=BETA)
    security_context: SecurityContext | None = may(
        "TLS fingerprints, where the edge supplies them.", state=BETA
    )
    tenant: Tenant = must("The tenant.", state=BETA)
    transaction: SignupTransaction = must("The transaction this signup belongs to.", state=BETA)
