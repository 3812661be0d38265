"""From settings and claims to what somebody may do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from runner.config.oidc import OidcGrant
from runner.config.settings import ServiceSettings
from runner.console.oidc.provider import OpenIdProvider, SignInError, is_safe
from runner.http.auth.scopes import ALL_SCOPES, OPERATE
from runner.http.auth.sessions import SignedIn, actor_of
from runner.http.auth.tokens import GRANTED
from runner.model.errors import InputError

CALLBACK: Final = "/console/api/sign-in/oidc/callback"
_MAX_GROUPS: Final = 1_000


def provider_of(settings: ServiceSettings) -> OpenIdProvider | None:
    """The provider of the settings; None without one.

    Raises:
        InputError: `invalid_settings`: they do not fit together.
    """
    if not settings.oidc_issuer:
        return None
    if not is_safe(settings.oidc_issuer):
        raise _unusable("oidc_issuer must be an https address")
    if not settings.oidc_client_id:
        raise _unusable("oidc_issuer needs oidc_client_id")
    for grant in settings.oidc_grants:
        unknown = [scope for scope in grant.scopes if scope not in (*ALL_SCOPES, *GRANTED)]
        if unknown:
            raise _unusable(f"oidc_grants has a scope that there is not: {unknown[0]}")
    return OpenIdProvider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        scope=settings.oidc_scope,
        redirect=settings.url + CALLBACK,
    )


def signed_in_by(
    claims: Mapping[str, Any], claim: str, grants: Sequence[OidcGrant], tenants: Collection[str]
) -> SignedIn:
    """Who signed in, in the first tenant of `grants` that the groups in `claim` open.

    Args:
        tenants: those that there are.

    Raises:
        SignInError: no group opens one of them.
    """
    groups = _groups(claims.get(claim))
    found: dict[str, dict[str, None]] = {}
    for grant in grants:
        if grant.group in groups and grant.tenant in tenants:
            scopes = found.setdefault(grant.tenant, {})
            scopes.update(dict.fromkeys(grant.scopes))
            if grant.operator:
                scopes[OPERATE] = None
    if not found:
        raise SignInError("No group that you have at the identity provider has access here.")
    given = {tenant: tuple(scopes) for tenant, scopes in found.items()}
    tenant = next(iter(given))
    email = claims.get("email")
    is_known = isinstance(email, str) and email != "" and claims.get("email_verified") is True
    actor = actor_of(str(email if is_known else claims["sub"]))
    return SignedIn(tenant, actor, "oidc", given[tenant], grants=given)


def _groups(value: object) -> frozenset[str]:
    items = value[:_MAX_GROUPS] if isinstance(value, list) else [value]
    return frozenset(item for item in items if isinstance(item, str))


def _unusable(why: str) -> InputError:
    return InputError(
        "invalid_settings", f"the settings cannot be used: {why}", next_step="docs/console.md explains them."
    )
