"""Parties of an event: tenant, client, connection, organization, agent, API."""

from __future__ import annotations

from typing import ClassVar

from triggers.events.model.base import (
    EARLY_ACCESS,
    IDENTIFIER,
    NETWORK,
    PACKAGE_SAMPLE,
    PLAIN,
    Number,
    OpenMap,
    Part,
    StringMap,
    may,
    must,
)


class Tenant(Part):
    """The tenant."""

    id: str = must("Name of the tenant.", PLAIN)


class BrandedTenant(Tenant):
    """The tenant with what a message may show of it."""

    friendly_name: str | None = may("Name to show to people.", PLAIN)
    home_url: str | None = may("Home page.", PLAIN)
    logo_url: str | None = may("Logo.", PLAIN)
    support_email: str | None = may("Support address.", PLAIN)
    support_url: str | None = may("Support page.", PLAIN)


class ClientCertificate(Part):
    """The certificate a client authenticated with."""

    raw: str | None = may("The certificate itself.", IDENTIFIER)
    subject: str | None = may("Subject.", IDENTIFIER)
    subjectAltName: str | None = may("Alternative names of the subject.", IDENTIFIER)
    thumbprint256: str | None = may("SHA-256 thumbprint.", IDENTIFIER)


class ClientAuthentication(Part):
    """The client's authentication."""

    type: str | None = may("Method, such as `self_signed_tls_client_auth`.", PLAIN)
    certificate: ClientCertificate | None = may("TLS certificate of the client.")


class Client(Part):
    """The application that started the transaction."""

    client_id: str = must("Client id.", PLAIN)
    metadata: StringMap = must("Metadata of the application.")
    name: str = must("Name of the application.", PLAIN)


class CertifiedClient(Client):
    """The application that started the transaction."""

    authentication: ClientAuthentication | None = may("Client certificate data (mTLS).", state=PACKAGE_SAMPLE)


class ExternalClient(Client):
    """The application that started the transaction."""

    external_client_id: str | None = may(
        "Id of a client that is described by a metadata document.", PLAIN, state=PACKAGE_SAMPLE
    )
    external_metadata_type: str | None = may(
        "Kind of that document, such as `cimd`.", PLAIN, state=PACKAGE_SAMPLE
    )


class RefreshTokenPolicy(Part):
    """One API for which a client may use its refresh tokens."""

    audience: str | None = may("Identifier of the API.", PLAIN)
    scope: list[str] | None = may("Scopes that can be had.", PLAIN)


class ClientRefreshToken(Part):
    """The client's settings of refresh tokens."""

    policies: list[RefreshTokenPolicy] | None = may("Policies for refresh tokens that serve several APIs.")


class LoginClient(CertifiedClient, ExternalClient):
    """The application that started the transaction."""

    refresh_token: ClientRefreshToken | None = may(
        "Refresh token settings of the application.", state=EARLY_ACCESS
    )


class Connection(Part):
    """The identity connection in use."""

    id: str = must("Connection id (`con_...`).", PLAIN)
    metadata: StringMap | None = may("Metadata of the connection.")
    name: str = must("Name of the connection.", PLAIN)
    strategy: str = must(
        "Kind of connection: `auth0` for a database, `email` or `sms` for passwordless, `waad`, `ad`...; "
        "a social connection repeats its name here.",
        PLAIN,
    )


class Organization(Part):
    """The organization of the transaction."""

    OPEN: ClassVar[bool] = True

    id: str = must("Organization id (`org_...`).", PLAIN)
    display_name: str = must("Name to show to people.", PLAIN)
    metadata: StringMap = must("Metadata of the organization.")
    name: str = must("Name used in URLs and claims.", PLAIN)


class CustomDomain(Part):
    """The custom domain a request came through."""

    domain: str = must("Domain name.", PLAIN)
    domain_metadata: StringMap = must("Metadata of the domain.")


class Agent(Part):
    """The AI agent a client is linked to."""

    agent_id: str = must("Id of the agent (`agt_...`), which does not change.", PLAIN)
    agent_metadata: OpenMap = must("Metadata of the agent; empty when there is none.")
    name: str = must("Name to show to people.", PLAIN)


class ResourceServer(Part):
    """The API a token is asked for."""

    identifier: str = must("Identifier of the API, which is the token's audience.", PLAIN)


class SecurityContext(Part):
    """Fingerprints of the caller's TLS handshake."""

    ja3: str | None = may("JA3 hash.", NETWORK, nullable=True)
    ja4: str | None = may("JA4 string.", NETWORK, nullable=True)


class Authorization(Part):
    """The user's roles."""

    roles: list[str] = must("Names of the user's roles.", PLAIN)


class Stats(Part):
    """Counters of the user."""

    logins_count: Number = must("How often the user has logged in.", PLAIN)
