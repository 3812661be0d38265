"""Which subject token types a tenant may claim."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.values.subject_types import check_subject_token_type


@pytest.mark.parametrize(
    "text",
    [
        "urn:harbor:legacy-session",
        "urn:partner0-log:subject-token",
        "https://acme.example/cis-token",
        "https://auth0.com.example/token",
        "https://notauth0.com/token",
        "https://acme.example:8443/auth0.com",
        "https://[::1]/token",
    ],
)
def test_a_tenants_own(text: str) -> None:
    check_subject_token_type(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("urn:ietf:params:oauth:token-type:jwt", "urn:ietf is reserved"),
        ("URN:IETF:params:oauth:token-type:jwt", "urn:ietf is reserved"),
        ("urn:auth0:token", "reserved"),
        ("urn:okta:token", "reserved"),
        ("https://auth0.com/token", "auth0.com is reserved"),
        ("https://tenant.eu.auth0.com/token", "reserved"),
        ("HTTPS://Tenant.OKTA.com/token", "reserved"),
        ("https://okta.com./token", "reserved"),
        ("https:////okta.com/token", "reserved"),
        ("https://acme.example@okta.com/token", "reserved"),
        ("https://okta.com:443/token", "reserved"),
        ("https://ok%74a.com/token", "reserved"),
        ("https://acme.example\\@okta.com/", "must be a URI"),
        ("https://", "must name a host"),
        ("http://acme.example/token", "must start with https:// or urn:"),
        ("urn:onlyone", "must start with"),
        ("urn:-bad:token", "must start with"),
        ("legacy-session", "must start with"),
        ("https://acme.example/a b", "must be a URI"),
        ("https://acme.example/100%", "must be a URI"),
        ("https://ökta.com/token", "must be a URI"),
        ("urn:harbor:a\n", "must be a URI"),
    ],
)
def test_what_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_subject_token_type(text)


@given(
    st.text(max_size=20),
    st.sampled_from(["urn:ietf:", "urn:okta:", "urn:auth0:", "https://auth0.com/", "https://a.okta.com/"]),
    st.integers(min_value=0),
)
def test_no_spelling_of_a_reserved_one_passes(rest: str, prefix: str, capitals: int) -> None:
    spelled = "".join(char.upper() if capitals >> index & 1 else char for index, char in enumerate(prefix))
    with pytest.raises(ValueError, match=r"reserved|must"):
        check_subject_token_type(spelled + rest)
