"""`api.samlResponse`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.triggers.driver import Flow, error

TEXTS = {
    "audience": 2048,
    "recipient": 2048,
    "destination": 2048,
    "nameIdentifierFormat": 512,
    "authnContextClassRef": 512,
    "signingCert": 4096,
    "encryptionCert": 4096,
    "encryptionPublicKey": 4096,
    "cert": 4096,
    "key": 4096,
    "relayState": 512,
    "issuer": 512,
}
BOOLEANS = [
    "createUpnClaim",
    "passthroughClaimsWithNoMapping",
    "mapIdentities",
    "includeAttributeNameFormat",
    "typedAttributes",
    "mapUnknownClaimsAsIs",
    "signResponse",
]
CHOICES = {
    "signatureAlgorithm": ["rsa-sha256", "rsa-sha1"],
    "digestAlgorithm": ["sha256", "sha1"],
    "encryptionAlgorithm": ["aes256-gcm", "aes256-cbc"],
}


def setter(name: str) -> str:
    return f"samlResponse.set{name[0].upper()}{name[1:]}"


def options(*calls: tuple) -> dict:
    return Flow("post-login").action(*calls).effects.saml.options


@pytest.mark.parametrize(("name", "limit"), TEXTS.items())
def test_texts(name: str, limit: int) -> None:
    assert options((setter(name), "x"), (setter(name), "v" * limit)) == {name: "v" * limit}
    too_long = error(Flow("post-login").call(setter(name), "v" * (limit + 1)))
    assert f"value must have at most {limit} characters, not {limit + 1}" in too_long
    others: tuple[Any, ...] = (5, None, True, [])
    for bad in others:
        assert "value must be a string" in error(Flow("post-login").call(setter(name), bad))
    assert "value is required" in error(Flow("post-login").call(setter(name)))


@pytest.mark.parametrize("name", BOOLEANS)
def test_switches(name: str) -> None:
    assert options((setter(name), True), (setter(name), False)) == {name: False}
    for bad in (0, 1, "true", None):
        assert "value must be true or false" in error(Flow("post-login").call(setter(name), bad))


@pytest.mark.parametrize(("name", "values"), CHOICES.items())
def test_choices(name: str, values: list[str]) -> None:
    for value in values:
        assert options((setter(name), value)) == {name: value}
    for bad in ("md5", None, 5):
        assert "value must be one of" in error(Flow("post-login").call(setter(name), bad))


def test_the_lifetime() -> None:
    assert options(("samlResponse.setLifetimeInSeconds", 60)) == {"lifetimeInSeconds": 60}
    for bad in ("60", None, True, float("nan")):
        assert "value must be a number" in error(
            Flow("post-login").call("samlResponse.setLifetimeInSeconds", bad)
        )


def test_probes() -> None:
    probes = ["p" * 512] * 10
    assert options(("samlResponse.setNameIdentifierProbes", probes)) == {"nameIdentifierProbes": probes}
    for bad, says in [
        (["p"] * 11, "at most 10 entries, not 11"),
        (["p" * 513], "value[0] must have at most 512 characters, not 513"),
        ([5], "value[0] must be a string, not 5"),
        ("p", "value must be an array"),
    ]:
        assert says in error(Flow("post-login").call("samlResponse.setNameIdentifierProbes", bad))


def test_a_private_key_is_never_quoted() -> None:
    assert "hunter2" not in error(Flow("post-login").call("samlResponse.setKey", ["hunter2"]))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("cert", "key"),
        ("key", "cert"),
        ("encryptionCert", "encryptionPublicKey"),
        ("encryptionPublicKey", "encryptionCert"),
    ],
)
def test_half_a_pair_is_warned_about(name: str, other: str) -> None:
    flow = Flow("post-login").action((setter(name), "x"))
    assert flow.effects.warnings == (f"SAML option {name} has no effect without {other}",)
    assert flow.action((setter(other), "y")).effects.warnings == ()


# --- attributes ---

ATTRIBUTE = "samlResponse.setAttribute"


@pytest.mark.parametrize("value", ["x", 5, 0.5, True, None, [], ["x", 1, False], "v" * 2048])
def test_values_of_attributes(value: object) -> None:
    assert Flow("post-login").action((ATTRIBUTE, "a", value)).effects.saml.attributes == {"a": value}


def test_undefined_removes_an_attribute() -> None:
    assert Flow("post-login").action((ATTRIBUTE, "a", 1), (ATTRIBUTE, "a")).effects.saml.attributes == {
        "a": None
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "attribute is required"),
        (["", "x"], "attribute must not be empty"),
        (["a" * 1025, "x"], "attribute must have at most 1024 characters, not 1025"),
        ([5, "x"], "attribute must be a string"),
        (["a", "v" * 2049], "a value must have at most 2048 characters, not 2049"),
        (["a", ["v", "v" * 2049]], "a value must have at most 2048 characters, not 2049"),
        (["a", {}], "value must be"),
        (["a", [None]], "value must be"),
        (["a", [["x"]]], "value must be"),
    ],
)
def test_attributes_that_are_refused(arguments: list, says: str) -> None:
    assert says in error(Flow("post-login").call(ATTRIBUTE, *arguments))


def test_a_hundred_attributes_and_not_one_more() -> None:
    flow = Flow("post-login").action(*((ATTRIBUTE, f"a{n}", n) for n in range(100)))
    assert "at most 100 attributes" in error(flow.call(ATTRIBUTE, "more", 1))
    assert "error" not in flow.call(ATTRIBUTE, "a5", None)
    assert len(Flow("post-login").action((ATTRIBUTE, "a" * 1024, 1)).effects.saml.attributes) == 1


def test_all_attributes_together() -> None:
    # a name of one letter takes 3 bytes of JSON, a list of 49 such strings 49 * 2051 + 1
    flow = Flow("post-login").action((ATTRIBUTE, "a", ["v" * 2048] * 49))
    rest = 102_400 - (3 + 49 * 2051 + 1) - 3 - 2
    assert "error" not in flow.call(ATTRIBUTE, "b", "v" * rest)
    assert "would take 102401 bytes; the limit is 102400" in error(
        flow.call(ATTRIBUTE, "b", "v" * (rest + 1))
    )
