"""The authorization transaction, in the variants the triggers see."""

from __future__ import annotations

from typing import Annotated, ClassVar

from triggers.events.model.base import (
    CONTACT,
    CREDENTIAL,
    EARLY_ACCESS,
    GATED,
    IDENTIFIER,
    PLAIN,
    Part,
    ScalarMap,
    filled,
    known,
    may,
    must,
)
from triggers.events.parts.user import LoginUser

Protocol = Annotated[
    str,
    known(
        "oidc-basic-profile",
        "oidc-ciba",
        "oidc-ciba-web-link",
        "oidc-implicit-profile",
        "oauth2-device-code",
        "oauth2-resource-owner",
        "oauth2-resource-owner-jwt-bearer",
        "oauth2-password",
        "oauth2-webauthn",
        "oauth2-access-token",
        "oauth2-refresh-token",
        "oauth2-token-exchange",
        "oidc-hybrid-profile",
        "samlp",
        "wsfed",
        "wstrust-usernamemixed",
    ),
]
ResponseMode = Annotated[str, known("query", "fragment", "form_post", "web_message")]
ResponseType = Annotated[str, known("code", "token", "id_token")]


class Correlated(Part):
    """The transaction, where only its correlation id is known."""

    correlation_id: str | None = may("Id the caller gave, to find the transaction in logs.", IDENTIFIER)


class Actor(Part):
    """The party that acts in the place of the user; `act` goes up to five levels."""

    OPEN: ClassVar[bool] = True

    act: Actor | None = may("Who acts in the place of this actor, in the same shape; five levels at most.")
    sub: str = must("Subject of the actor.", IDENTIFIER)


class AuthorizationDetails(Part):
    """One object of a rich authorization request."""

    OPEN: ClassVar[bool] = True

    type: str = must("Type of the object, which says what else is in it.", PLAIN)


class Authorizing(Correlated):
    """The contents of the authorization request."""

    OPEN: ClassVar[bool] = True

    login_hint: str | None = may("`login_hint` of the request.", CONTACT)
    prompt: list[str] | None = may("`prompt` values of the request.", PLAIN)
    protocol: Protocol | None = may("Protocol or grant of this run.", PLAIN)
    redirect_uri: str | None = may("Callback URL.", PLAIN)
    response_mode: ResponseMode | None = may("How the answer travels back.", PLAIN)
    response_type: list[ResponseType] | None = may("What the answer holds.", PLAIN)
    state: str | None = may("`state` of the application.", IDENTIFIER)


class SignupTransaction(Authorizing):
    """The transaction a signup belongs to."""

    acr_values: list[str] = must("`acr_values` of the request.", PLAIN)
    locale: str = must("Locale that was agreed on.", PLAIN)
    requested_scopes: list[str] = must("Scopes the application asks for.", PLAIN)
    ui_locales: list[str] = must("`ui_locales` of the request.", PLAIN)


class LoginTransaction(Authorizing):
    """The transaction this login belongs to."""

    acr_values: list[str] | None = may("`acr_values` of the request.", PLAIN)
    actor: Actor | None = may("Who acts in the place of the user, as a token exchange decided.")
    actor_token_type: str | None = may("Type of the actor token.", PLAIN)
    id: str | None = may("Id of the transaction; logins in a browser have one.", IDENTIFIER)
    linking_id: str | None = may("Id that links the transaction to what is to be approved.", IDENTIFIER)
    locale: str | None = may("Locale that was agreed on.", PLAIN)
    metadata: ScalarMap | None = filled(
        "What Actions share in this transaction, with what earlier triggers set; follows "
        "`api.transaction.setMetadata` at once."
    )
    requested_authorization_details: list[AuthorizationDetails] | None = may("Rich authorization request.")
    requested_scopes: list[str] | None = may("Scopes the application asks for.", PLAIN)
    subject_token_type: str | None = may("Type of the subject token.", PLAIN)
    target_scopes: list[str] | None = may("Scopes that will be granted.", PLAIN, state=GATED)
    ui_locales: list[str] | None = may("`ui_locales` of the request.", PLAIN)


class ResetTransaction(Correlated):
    """The transaction a password reset belongs to."""

    OPEN: ClassVar[bool] = True

    locale: str = must("Locale that was agreed on.", PLAIN)
    login_hint: str | None = may("`login_hint` of the request.", CONTACT)
    state: str | None = may("`state` of the application.", IDENTIFIER)
    ui_locales: list[str] = must("`ui_locales` of the request.", PLAIN)


class MachineTransaction(Correlated):
    """The client-credentials exchange."""

    requested_scopes: list[str] = must("Scopes the client asks for.", PLAIN)
    target_scopes: list[str] | None = may(
        "Scopes that will be granted; follows `api.transaction` at once, and is cut to the grant in the end.",
        PLAIN,
        state=EARLY_ACCESS,
    )


class ExchangeTransaction(Part):
    """The token exchange."""

    actor_token: str | None = may("Actor token as it was sent.", CREDENTIAL)
    actor_token_type: str | None = may("Type of the actor token.", PLAIN)
    actor_token_user: LoginUser | None = may(
        "Profile of the actor, when the actor token is an ID token of this tenant."
    )
    metadata: ScalarMap | None = filled(
        "What Actions share in this transaction, post-login's too; follows `api.transaction.setMetadata` "
        "at once."
    )
    requested_scopes: list[str] = must("Scopes the client asks for.", PLAIN)
    requested_token_type: str | None = must("Type of token the client asks for.", PLAIN, nullable=True)
    subject_token: str = must("Subject token as it was sent.", CREDENTIAL)
    subject_token_type: str = must("Type of the subject token.", PLAIN)
