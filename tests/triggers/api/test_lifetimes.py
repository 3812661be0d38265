"""`api.session` and `api.refreshToken`, metadata included."""

from __future__ import annotations

import pytest

from tests.triggers.driver import ABSENT, NOW, Flow, error

REFRESH = {
    "transaction.protocol": "oauth2-refresh-token",
    "refresh_token": {"id": "rt_1", "created_at": "2026-01-01T00:00:00.000Z", "metadata": {"kept": "1"}},
}


# --- revoking ---


def test_revoking_a_session_denies() -> None:
    flow = Flow("post-login").action(("session.revoke", "stolen"), ("session.revoke", "again"))
    assert (flow.effects.denial.kind, flow.effects.denial.reason) == ("session_revoked", "stolen")
    assert flow.effects.session.revoke.model_dump() == {"reason": "stolen", "preserve_refresh_tokens": False}


def test_refresh_tokens_can_be_preserved() -> None:
    flow = Flow("post-login").action(("session.revoke", "x", {"preserveRefreshTokens": True}))
    assert flow.effects.session.revoke.preserve_refresh_tokens is True


@pytest.mark.parametrize(
    ("event", "arguments", "says"),
    [
        ({}, [], "reason is required"),
        ({}, [5], "reason must be a string"),
        ({}, ["x", {"preserve": True}], "options.preserve is not a known option"),
        ({}, ["x", {"preserveRefreshTokens": 1}], "options.preserveRefreshTokens must be true or false"),
        ({"session": ABSENT}, ["x"], "event.session.id is missing"),
        ({"session.id": ""}, ["x"], "event.session.id is missing"),
    ],
)
def test_revocations_that_are_refused(event: dict, arguments: list, says: str) -> None:
    assert says in error(Flow("post-login", event).call("session.revoke", *arguments))


def test_a_revocation_after_a_deny_still_revokes() -> None:
    effects = Flow("post-login").action(("access.deny", "first"), ("session.revoke", "x")).effects
    assert effects.denial.kind == "access"
    assert effects.session.revoke.reason == "x"


def test_revoking_a_refresh_token() -> None:
    flow = Flow("post-login", REFRESH).action(("refreshToken.revoke", "r" * 1024))
    assert (flow.effects.denial.kind, flow.effects.denial.code) == ("refresh_token_revoked", "access_denied")
    assert flow.effects.refresh_token.revoke.reason == "r" * 1024
    assert "at most 1024 characters, not 1025" in error(
        Flow("post-login", REFRESH).call("refreshToken.revoke", "r" * 1025)
    )
    assert "must be oauth2-refresh-token" in error(Flow("post-login").call("refreshToken.revoke", "x"))


# --- expiry ---


@pytest.mark.parametrize("owner", ["session", "refreshToken"])
@pytest.mark.parametrize(
    ("name", "field"), [("setExpiresAt", "expires_at"), ("setIdleExpiresAt", "idle_expires_at")]
)
def test_the_earliest_expiry_wins(owner: str, name: str, field: str) -> None:
    path = f"{owner}.{name}"
    flow = Flow("post-login").action((path, 2000), (path, 1000.5), (path, 3000))
    effect = flow.effects.session if owner == "session" else flow.effects.refresh_token
    assert getattr(effect, field) == 1000.5
    assert (
        flow.action((path, -1)).effects.model_dump()["session" if owner == "session" else "refresh_token"][
            field
        ]
        == -1
    )


@pytest.mark.parametrize(
    "path", [f"{o}.{n}" for o in ("session", "refreshToken") for n in ("setExpiresAt", "setIdleExpiresAt")]
)
@pytest.mark.parametrize("value", [0, 0.0, None, float("nan"), float("inf"), "2000", True, False, [], {}])
def test_expiries_that_are_refused(path: str, value: object) -> None:
    assert f"api.{path}: " in error(Flow("post-login").call(path, value))


# --- cookie ---


def test_the_last_cookie_mode_wins() -> None:
    flow = Flow("post-login").action(
        ("session.setCookieMode", "non-persistent"), ("session.setCookieMode", "persistent")
    )
    assert flow.effects.session.cookie_mode == "persistent"
    assert "mode must be one of" in error(flow.call("session.setCookieMode", "nonpersistent"))


def test_without_a_session_the_cookie_mode_is_ignored() -> None:
    flow = Flow("post-login", {"session": ABSENT})
    assert flow.call("session.setCookieMode", "persistent")["event"] == []
    assert flow.action(("session.setCookieMode", "persistent")).effects.session.cookie_mode is None


# --- metadata ---


@pytest.mark.parametrize(("owner", "place"), [("session", "session"), ("refreshToken", "refresh_token")])
def test_metadata_is_live(owner: str, place: str) -> None:
    flow = Flow("post-login", REFRESH)
    session = flow.session()
    session.call(f"{owner}.evictMetadata", [])
    assert session.call(f"{owner}.setMetadata", ["a", "1"])["event"] == [([place, "metadata"], {"a": "1"})]
    session.call(f"{owner}.setMetadata", ["b", "2"])
    session.call(f"{owner}.deleteMetadata", ["a"])
    session.call(f"{owner}.deleteMetadata", ["never there"])
    assert session.event[place]["metadata"] == {"b": "2"}
    session.call(f"{owner}.setMetadata", ["b", None])
    session.call(f"{owner}.setMetadata", ["c", ""])
    effects = session.commit().effects()
    assert (effects.session if owner == "session" else effects.refresh_token).metadata == {"c": ""}


def test_untouched_metadata_is_none() -> None:
    effects = Flow("post-login", REFRESH).action().effects
    assert effects.session.metadata is None
    assert effects.refresh_token.metadata is None


def test_what_is_there_stays() -> None:
    flow = Flow("post-login", REFRESH).action(("refreshToken.setMetadata", "more", "2"))
    assert flow.effects.refresh_token.metadata == {"kept": "1", "more": "2"}


@pytest.mark.parametrize(("owner", "words"), [("session", "session"), ("refreshToken", "refresh token")])
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "key is required"),
        (["", "v"], "key must not be empty"),
        (["a b", "v"], "key must match"),
        (["a\n", "v"], "key must match"),
        (["ä", "v"], "key must match"),
        (["k" * 256, "v"], "key must have at most 255 characters, not 256"),
        ([5, "v"], "key must be a string"),
        (["k"], "value is required"),
        (["k", "v" * 256], "value must have at most 255 characters, not 256"),
        (["k", "\U0001f600" * 128], "value must have at most 255 characters, not 256"),
        (["k", "a\0b"], "value must not contain NUL"),
        (["k", 5], "value must be a string or null, not 5"),
        (["k", {}], "value must be a string or null"),
    ],
)
def test_metadata_that_is_refused(owner: str, words: str, arguments: list, says: str) -> None:
    text = error(Flow("post-login", REFRESH).call(f"{owner}.setMetadata", *arguments))
    assert text.startswith(f"Failed to set {words} metadata: ")
    assert says in text


@pytest.mark.parametrize("owner", ["session", "refreshToken"])
def test_keys_and_values_at_their_limits(owner: str) -> None:
    longest = {"k" * 255: "v" * 255, "aZ0_-": "\U0001f600" * 127}
    flow = Flow("post-login", REFRESH).action(
        *((f"{owner}.setMetadata", key, value) for key, value in longest.items())
    )
    effects = flow.effects.session if owner == "session" else flow.effects.refresh_token
    assert effects is not None
    assert effects.metadata is not None
    assert effects.metadata.items() >= longest.items()


@pytest.mark.parametrize("owner", ["session", "refreshToken"])
@pytest.mark.parametrize("event", [{**REFRESH, "refresh_token.metadata": {}}, {}])
def test_twenty_five_entries_and_not_one_more(owner: str, event: dict) -> None:
    path = f"{owner}.setMetadata"
    flow = Flow("post-login", event).action(*((path, f"k{n}", "v") for n in range(25)))
    assert "there are already 25 entries" in error(flow.call(path, "more", "v"))
    assert "error" not in flow.call(path, "k3", "new")
    assert "error" not in flow.call(path, "more", None)
    flow.action((f"{owner}.deleteMetadata", "k3"))
    assert "error" not in flow.call(path, "more", "v")
    flow.action((f"{owner}.evictMetadata",))
    effects = flow.effects
    assert (effects.session if owner == "session" else effects.refresh_token).metadata == {}


@pytest.mark.parametrize("event", [{"session": ABSENT}, {"session": None}])
def test_session_metadata_needs_a_session(event: dict) -> None:
    flow = Flow("post-login", event)
    assert (
        error(flow.call("session.setMetadata", "a", "1"))
        == "Failed to set session metadata: there is no session"
    )
    flow.action(("session.deleteMetadata", "a"), ("session.evictMetadata",))
    assert flow.effects.session.metadata is None


def test_refresh_token_metadata_works_before_there_is_a_token() -> None:
    flow = Flow("post-login").action(
        ("refreshToken.setMetadata", "a", "1"), ("refreshToken.setMetadata", "b", "2")
    )
    flow.action(("refreshToken.deleteMetadata", "a"))
    assert flow.effects.refresh_token.metadata == {"b": "2"}
    assert "refresh_token" not in flow.session().event


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("setExpiresAt", [NOW]),
        ("setIdleExpiresAt", [NOW]),
        ("setMetadata", ["a", "1"]),
        ("deleteMetadata", ["a"]),
        ("evictMetadata", []),
    ],
)
def test_an_online_refresh_token_takes_a_revocation_and_nothing_else(path: str, arguments: list) -> None:
    token = {"id": "rt_1", "created_at": "2025-03-11T14:02:40.511Z", "access": "online"}
    flow = Flow("post-login", {"refresh_token": token, "transaction.protocol": "oauth2-refresh-token"})
    assert "not for an online refresh token" in error(flow.call(f"refreshToken.{path}", *arguments))
    assert flow.action(("refreshToken.revoke", "stolen")).effects.refresh_token.revoke is not None
    offline = Flow("post-login", {"refresh_token": {**token, "access": "offline"}})
    offline.action((f"refreshToken.{path}", *arguments))


def test_a_violation_that_the_action_catches_changes_nothing() -> None:
    session = Flow("post-login").session()
    assert "error" in session.call("session.setMetadata", ["a b", "1"])
    assert session.commit().effects().session.metadata is None
