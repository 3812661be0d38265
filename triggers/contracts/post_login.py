"""The trigger `post-login` (reference/trigger-post-login.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from triggers.api.access import VALIDATION_ERROR, deny
from triggers.api.cache import CACHE
from triggers.api.directory import GROUPS, ROLES, RULES
from triggers.api.factors import CHALLENGES, ENROLLMENTS, MULTIFACTOR, RECORD_METHOD
from triggers.api.lifetimes import EXPIRY, REVOKE_REFRESH_TOKEN, REVOKE_SESSION, SET_COOKIE_MODE
from triggers.api.profile import SET_PRIMARY_USER, metadata
from triggers.api.prompt import RENDER
from triggers.api.redirect import CAN_REDIRECT, ENCODE_TOKEN, VALIDATE_TOKEN, has_browser, send_user_to
from triggers.api.saml import SAML, incomplete_pairs
from triggers.api.scopes import target_scopes
from triggers.api.stored import REFRESH_TOKEN_METADATA, SESSION_METADATA
from triggers.api.tokens import SCOPES, set_custom_claim
from triggers.api.transaction import set_metadata, with_metadata
from triggers.engine.catalogue import Version, current, deprecated
from triggers.engine.gates import POST_LOGIN_TARGET_SCOPES
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="post-login",
    summary="After a user authenticated and on every refresh-token exchange, before tokens are built.",
    handlers=("onExecutePostLogin", "onContinuePostLogin"),
    blocking=True,
    surface=Surface(
        (
            deny("api"),
            set_custom_claim("access", scope_throws=True),
            *SCOPES,
            set_custom_claim("id", scope_throws=True),
            *CHALLENGES,
            *ENROLLMENTS,
            RECORD_METHOD,
            SET_PRIMARY_USER,
            MULTIFACTOR,
            ENCODE_TOKEN,
            send_user_to("api"),
            CAN_REDIRECT,
            VALIDATE_TOKEN,
            RENDER,
            *metadata("api", visible=True),
            *SAML,
            VALIDATION_ERROR,
            RULES,
            REVOKE_REFRESH_TOKEN,
            *EXPIRY["refreshToken"],
            *REFRESH_TOKEN_METADATA,
            REVOKE_SESSION,
            *EXPIRY["session"],
            SET_COOKIE_MODE,
            *SESSION_METADATA,
            set_metadata("void"),
            *target_scopes(POST_LOGIN_TARGET_SCOPES),
            *GROUPS,
            *ROLES,
            *CACHE,
        )
    ),
    versions=(
        replace(current("v3"), compatible=(("post-login", "v2"),)),
        Version("v2", "DEPRECATED", ("node18", "node22"), "node16"),
        deprecated("v1"),
    ),
    can_redirect=has_browser,
    complete=with_metadata,
    notes=(incomplete_pairs,),
    decided=(
        "A deny, a validation error or a revocation beats a redirect, form or challenge of the same Action.",
        "Several suspensions of different kinds in one Action fail the execution; a service page rules out a "
        "redirect beside a form only.",
        "A redirect or form where the user cannot be sent anywhere ends the flow with interaction_required: "
        "where canRedirect answers false, and with the protocols oauth2-token-exchange, oauth2-access-token, "
        "oauth2-resource-owner-jwt-bearer, oidc-ciba and wstrust-usernamemixed, which the reference sums up "
        "as other non-interactive grants.",
    ),
)
