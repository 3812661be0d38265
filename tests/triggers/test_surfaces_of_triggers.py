"""Which members each trigger has: those of the reference, no more and no fewer."""

from __future__ import annotations

import pytest

from tests.triggers.driver import NOW, Flow, error
from triggers import all_triggers, get_trigger

CACHE = {"cache.get", "cache.set", "cache.delete"}
METADATA = {"user.setAppMetadata", "user.setUserMetadata"}
TARGETS = {
    f"transaction.{name}"
    for name in ("addTargetScope", "removeTargetScope", "setTargetScopes", "clearTargetScopes")
}
STORE = {"setMetadata", "deleteMetadata", "evictMetadata", "revoke", "setExpiresAt", "setIdleExpiresAt"}
SAML = {
    "setAttribute",
    "setAudience",
    "setRecipient",
    "setDestination",
    "setCreateUpnClaim",
    "setPassthroughClaimsWithNoMapping",
    "setMapIdentities",
    "setIncludeAttributeNameFormat",
    "setTypedAttributes",
    "setMapUnknownClaimsAsIs",
    "setSignResponse",
    "setSignatureAlgorithm",
    "setDigestAlgorithm",
    "setEncryptionAlgorithm",
    "setLifetimeInSeconds",
    "setNameIdentifierFormat",
    "setAuthnContextClassRef",
    "setNameIdentifierProbes",
    "setSigningCert",
    "setEncryptionCert",
    "setEncryptionPublicKey",
    "setCert",
    "setKey",
    "setRelayState",
    "setIssuer",
}
MEMBERS = {
    "post-login": {
        "access.deny",
        "accessToken.setCustomClaim",
        "accessToken.addScope",
        "accessToken.removeScope",
        "idToken.setCustomClaim",
        "authentication.challengeWith",
        "authentication.challengeWithAny",
        "authentication.enrollWith",
        "authentication.enrollWithAny",
        "authentication.recordMethod",
        "authentication.setPrimaryUser",
        "multifactor.enable",
        "redirect.encodeToken",
        "redirect.sendUserTo",
        "redirect.canRedirect",
        "redirect.validateToken",
        "prompt.render",
        *METADATA,
        *(f"samlResponse.{name}" for name in SAML),
        "validation.error",
        "rules.wasExecuted",
        *(f"refreshToken.{name}" for name in STORE),
        *(f"session.{name}" for name in STORE),
        "session.setCookieMode",
        "transaction.setMetadata",
        *TARGETS,
        "groups.getUserGroups",
        "groups.hasGroupMembership",
        "roles.getUserEffectiveRoles",
        "roles.getUserEffectiveRolesByIds",
        "roles.getUserEffectiveRolesByNames",
        *CACHE,
    },
    "credentials-exchange": {"access.deny", "accessToken.setCustomClaim", *TARGETS, *CACHE},
    "pre-user-registration": {"access.deny", "validation.error", *METADATA, "user.setUserId", *CACHE},
    "post-user-registration": CACHE,
    "post-change-password": CACHE,
    "send-phone-message": CACHE,
    "event-stream": CACHE,
    "post-credential-validation": {"authentication.deny", "transaction.setMetadata", *CACHE},
    "custom-phone-provider": {"notification.drop", "notification.retry", *CACHE},
    "custom-email-provider": {"notification.drop", "notification.retry", *CACHE},
    "password-reset-post-challenge": {
        "access.deny",
        "authentication.challengeWith",
        "authentication.challengeWithAny",
        "redirect.encodeToken",
        "redirect.sendUserTo",
        "redirect.validateToken",
        "prompt.render",
        "transaction.setResultUrl",
        *CACHE,
    },
    "custom-token-exchange": {
        "access.deny",
        "access.rejectInvalidSubjectToken",
        "authentication.setUserById",
        "authentication.setUserByConnection",
        "authentication.setOrganization",
        "authentication.setActor",
        *METADATA,
        "transaction.setMetadata",
        *CACHE,
    },
}
CHAINABLE = {
    "post-login": {
        "access.deny",
        "accessToken.setCustomClaim",
        "idToken.setCustomClaim",
        "authentication.recordMethod",
        "multifactor.enable",
        "redirect.sendUserTo",
        *METADATA,
        "validation.error",
        *(f"samlResponse.{name}" for name in SAML),
    },
    "credentials-exchange": {"access.deny", "accessToken.setCustomClaim"},
    "pre-user-registration": {"access.deny", "validation.error", *METADATA, "user.setUserId"},
}


@pytest.mark.parametrize("trigger", all_triggers(), ids=lambda trigger: trigger.id)
def test_members(trigger) -> None:
    assert {method.path for method in trigger.surface.methods} == MEMBERS[trigger.id]


@pytest.mark.parametrize("trigger", all_triggers(), ids=lambda trigger: trigger.id)
def test_chainable_members(trigger) -> None:
    chainable = {method.path for method in trigger.surface.methods if method.returns == "api"}
    assert chainable == CHAINABLE.get(trigger.id, set())


def test_promises() -> None:
    promises = {
        method.path for method in get_trigger("post-login").surface.methods if method.returns == "promise"
    }
    assert {path.partition(".")[0] for path in promises} == {"groups", "roles"}
    assert len(promises) == 5


def test_live_members_and_gates() -> None:
    methods = get_trigger("post-login").surface.methods
    live = {method.path for method in methods if method.kind == "live"}
    assert live == {
        "transaction.setMetadata",
        "session.setCookieMode",
        *(f"{o}.{n}Metadata" for o in ("session", "refreshToken") for n in ("set", "delete", "evict")),
        *TARGETS,
    }
    assert {method.path for method in methods if method.gate} == TARGETS


# --- the providers ---


@pytest.mark.parametrize("trigger", ["custom-phone-provider", "custom-email-provider"])
def test_what_became_of_a_message(trigger: str) -> None:
    assert Flow(trigger).action().effects.notification.model_dump() == {
        "outcome": "delivered",
        "reason": None,
    }
    dropped = Flow(trigger).action(("notification.retry", "later"), ("notification.drop", "r" * 1025))
    assert dropped.effects.notification.model_dump() == {"outcome": "drop", "reason": "r" * 1024}
    retried = Flow(trigger).action(("notification.drop", "x"), ("notification.retry",))
    assert retried.effects.notification.model_dump() == {"outcome": "retry", "reason": ""}
    wide = Flow(trigger).action(("notification.drop", "a" + "\U0001f600" * 1000))
    assert wide.effects.notification.reason == "a" + "\U0001f600" * 511
    assert (
        Flow(trigger).action(("notification.drop", {"status": 500})).effects.notification.reason
        == '{"status":500}'
    )


def test_other_triggers_have_no_message() -> None:
    assert Flow("post-login").action().effects.notification is None


# --- credentials-exchange and pre-user-registration as flows ---


def test_a_client_gets_claims_and_scopes() -> None:
    flow = Flow("credentials-exchange").action(
        ("accessToken.setCustomClaim", "https://x.example/tier", "gold"),
        ("transaction.addTargetScope", "write:berths"),
    )
    assert flow.effects.access_token_claims == {"https://x.example/tier": "gold"}
    assert flow.effects.target_scopes == ("read:berths", "write:berths")
    assert flow.session().event["transaction"]["target_scopes"] == ["read:berths", "write:berths"]


def test_metadata_of_a_signup_shows_in_the_next_action() -> None:
    flow = Flow("pre-user-registration").action(("user.setUserMetadata", "a", 1))
    assert flow.session().event["user"]["user_metadata"] == {"a": 1}


def test_a_redirect_of_a_password_reset() -> None:
    flow = Flow("password-reset-post-challenge").action(("redirect.sendUserTo", "https://x.example/"))
    assert flow.state.suspension.resume_handler == "onContinuePostChallenge"
    flow.proceed().action(("access.deny", "no"), handler="onContinuePostChallenge")
    assert flow.effects.denial.code == "access_denied"


def test_clocks_are_the_platforms() -> None:
    assert (
        Flow("event-stream").call("cache.set", "a", "b")["ok"]["record"]["expires_at"]
        == int(NOW * 1000) + 900_000
    )


def test_a_stream_cannot_fail_a_message_by_name() -> None:
    assert "is not a function" in error(Flow("event-stream").call("message.fail", "x"))
