"""Effects of a flow, for the platform to carry out: one frozen record, folded from the committed commands."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """An immutable record with nothing but what is declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Denial(Frozen):
    """The refusal of an operation; the first one of a flow stands.

    Attributes:
        kind: which member asked for it. `interaction_required`: a redirect or form was asked for where
            none is possible. `credential`: answer as for a wrong credential, and keep the reason.
        code: what the application gets as `error` (reference/behaviour.md section 12).
        reason: what it gets as `error_description`.
        user_message: text that may be shown to the user, where the trigger has one.
        action: index of the Action in the flow.
    """

    kind: Literal[
        "access",
        "credential",
        "validation",
        "session_revoked",
        "refresh_token_revoked",
        "invalid_subject_token",
        "interaction_required",
    ]
    code: str
    reason: str
    user_message: str | None = None
    action: int


class DroppedClaim(Frozen):
    """A claim that was set and is left out of the token, and why."""

    token: Literal["id", "access"]
    name: str
    reason: str


class Redirect(Frozen):
    """Send the browser here; `url` carries the query and `state`."""

    url: str
    state: str


class Prompt(Frozen):
    """Show a form; `fields` reach the browser, `vars` stay on the server."""

    id: str
    fields: dict[str, Any] = Field(default_factory=dict)
    vars: dict[str, Any] = Field(default_factory=dict)


class Step(Frozen):
    """One challenge or enrolment: the factors in order of preference, with a picker or without."""

    kind: Literal["challenge", "enroll"]
    factors: tuple[dict[str, Any], ...]
    picker: bool


class Multifactor(Frozen):
    """One challenge after all Actions; provider `none` skips multi-factor authentication.

    Beside `Effects.steps` it asks for nothing: the steps take its place, and `allow_remember_browser` says
    whether the user may choose not to be asked for them again in this browser.
    """

    provider: Literal["none", "any", "guardian", "google-authenticator", "duo"]
    allow_remember_browser: bool = False
    provider_options: dict[str, str] | None = None


class RecordedMethod(Frozen):
    """A custom authentication method for the session; `timestamp` in ISO 8601."""

    name: str
    timestamp: str


class Saml(Frozen):
    """Changes to the SAML response: options by camelCase name, attributes (null removes)."""

    options: dict[str, Any] = Field(default_factory=dict)
    attributes: dict[str, Any] = Field(default_factory=dict)


class Revocation(Frozen):
    """Revoke a session or a refresh token."""

    reason: str
    preserve_refresh_tokens: bool = False


class Lifetime(Frozen):
    """Changes to a session or refresh token. Times in milliseconds since 1970; the earliest call won.
    `metadata` is the whole new metadata, None when untouched: what Actions set are strings, what they left
    alone is whatever the event holds there."""

    revoke: Revocation | None = None
    expires_at: int | float | None = None
    idle_expires_at: int | float | None = None
    metadata: dict[str, Any] | None = None


class SessionEffects(Lifetime):
    """Changes to the session."""

    cookie_mode: Literal["persistent", "non-persistent"] | None = None


class UserById(Frozen):
    """An existing user becomes the subject."""

    user_id: str


class UserByConnection(Frozen):
    """A user of a connection, found by `attributes["user_id"]`, becomes the subject."""

    connection: str
    attributes: dict[str, Any]
    creation_behavior: Literal["create_if_not_exists", "none"]
    update_behavior: Literal["replace", "none"]


class TokenExchange(Frozen):
    """The subject of a token exchange. With an actor no refresh token is issued and MFA is impossible."""

    user: UserById | UserByConnection | None = None
    organization: str | None = None
    actor: dict[str, Any] | None = None


class Notification(Frozen):
    """The fate of a message; `retry` asks for up to five more attempts."""

    outcome: Literal["delivered", "drop", "retry"] = "delivered"
    reason: str | None = None


class Effects(Frozen):
    """Everything a platform applies when a flow has ended or is suspended.

    Attributes:
        decision: `deny` exactly when there is a `denial`.
        id_token_claims, access_token_claims: as they go into the tokens; what may not is in
            `dropped_claims`.
        scopes_added, scopes_removed: of the access token; the last call per scope won.
        target_scopes: the whole target scope set (before it is intersected with the grant), None when
            untouched.
        user_metadata, app_metadata: top-level keys to write; None removes a key.
        user_id: id part for the new user (pre-user-registration).
        primary_user_id: the user who becomes the subject of the login.
        redirect, prompt, steps: what the flow is suspended on, at most one of them.
        multifactor: a challenge after the flow, or beside `steps` how to ask for those, see there.
        transaction_metadata: the whole transaction metadata, None when untouched.
        result_url: where the user goes after the password was reset.
        token_exchange, notification: None for triggers that have none.
        warnings: what the Actions' author should know and nothing fails for.
    """

    decision: Literal["allow", "deny"] = "allow"
    denial: Denial | None = None
    id_token_claims: dict[str, Any] = Field(default_factory=dict)
    access_token_claims: dict[str, Any] = Field(default_factory=dict)
    dropped_claims: tuple[DroppedClaim, ...] = ()
    scopes_added: tuple[str, ...] = ()
    scopes_removed: tuple[str, ...] = ()
    target_scopes: tuple[str, ...] | None = None
    user_metadata: dict[str, Any] = Field(default_factory=dict)
    app_metadata: dict[str, Any] = Field(default_factory=dict)
    user_id: str | None = None
    primary_user_id: str | None = None
    redirect: Redirect | None = None
    prompt: Prompt | None = None
    steps: tuple[Step, ...] = ()
    multifactor: Multifactor | None = None
    recorded_methods: tuple[RecordedMethod, ...] = ()
    saml: Saml = Saml()
    session: SessionEffects = SessionEffects()
    refresh_token: Lifetime = Lifetime()
    transaction_metadata: dict[str, Any] | None = None
    result_url: str | None = None
    token_exchange: TokenExchange | None = None
    notification: Notification | None = None
    warnings: tuple[str, ...] = ()
