"""`api.samlResponse`: shaping the SAML response (reference/trigger-post-login.md, SAML options)."""

from __future__ import annotations

from types import GenericAlias
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.surface import UNDEFINED, Method, Parameter
from triggers.values.arguments import Number, Scalar, text
from triggers.values.json_value import shown, size, units

MAX_ATTRIBUTES: Final = 100
MAX_NAME: Final = 1024
MAX_VALUE: Final = 2048
MAX_TOTAL_BYTES: Final = 102_400
MAX_PROBES: Final = 10

_URL: Final = text(2048)
_SHORT: Final = text(512)
_PEM: Final = text(4096)
_PROBES: Final = Annotated[GenericAlias(list, (_SHORT,)), Field(max_length=MAX_PROBES)]

_OPTIONS: Final[tuple[tuple[str, Any, Any, str], ...]] = (
    ("audience", _URL, UNDEFINED, "Audience; by default the issuer of the request."),
    ("recipient", _URL, UNDEFINED, "Recipient; by default the assertion consumer URL or the callback."),
    ("destination", _URL, UNDEFINED, "Destination; by default the assertion consumer URL or the callback."),
    ("createUpnClaim", bool, True, "Whether to add a UPN claim."),
    ("passthroughClaimsWithNoMapping", bool, True, "Whether claims without a mapping pass through."),
    ("mapUnknownClaimsAsIs", bool, False, "Whether claims without a mapping keep their names."),
    ("mapIdentities", bool, True, "Whether to add the user's identities."),
    ("includeAttributeNameFormat", bool, True, "Whether attributes carry a NameFormat."),
    ("typedAttributes", bool, True, "Whether attributes carry a type."),
    ("signResponse", bool, False, "Whether to sign the response instead of the assertion."),
    (
        "signatureAlgorithm",
        Literal["rsa-sha256", "rsa-sha1"],
        "rsa-sha256",
        "Signature; rsa-sha1 is deprecated.",
    ),
    ("digestAlgorithm", Literal["sha256", "sha1"], "sha256", "Digest; sha1 is deprecated."),
    (
        "encryptionAlgorithm",
        Literal["aes256-gcm", "aes256-cbc"],
        "aes256-cbc",
        "Encryption; aes256-cbc is deprecated.",
    ),
    ("lifetimeInSeconds", Number, 3600, "Lifetime of the assertion in seconds."),
    (
        "nameIdentifierFormat",
        _SHORT,
        "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
        "Format of the subject's name identifier.",
    ),
    (
        "authnContextClassRef",
        _SHORT,
        "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
        "Authentication context class.",
    ),
    (
        "nameIdentifierProbes",
        _PROBES,
        UNDEFINED,
        f"At most {MAX_PROBES} claims to take the name identifier from, in order; by default the "
        "claim URIs of "
        "nameidentifier, emailaddress and name.",
    ),
    ("signingCert", _PEM, UNDEFINED, "Certificate for signing, PEM; by default the tenant's."),
    ("encryptionCert", _PEM, UNDEFINED, "Certificate for encryption, PEM; needs encryptionPublicKey too."),
    ("encryptionPublicKey", _PEM, UNDEFINED, "Public key for encryption, PEM; needs encryptionCert too."),
    ("cert", _PEM, UNDEFINED, "Own certificate for signing, PEM; needs key too."),
    ("key", _PEM, UNDEFINED, "Own private key for signing, PEM; needs cert too."),
    ("relayState", _SHORT, UNDEFINED, "RelayState."),
    ("issuer", _SHORT, UNDEFINED, "Issuer; by default urn:auth0:<tenant>."),
)
_SECRET: Final = {"key"}
_PAIRS: Final = (("encryptionCert", "encryptionPublicKey"), ("cert", "key"))


def _setter(name: str, kind: Any, default: Any, doc: str) -> Method:
    shown_default = "" if default is UNDEFINED else f" Default: {shown(default)}."
    return Method(
        f"samlResponse.set{name[0].upper()}{name[1:]}",
        "command",
        "api",
        f"{doc}{shown_default}",
        parameters=(Parameter("value", kind, doc, sensitive=name in _SECRET),),
        source="pkg",
        decided="Typed void, chainable at run time as in the package. The last call wins.",
        apply=lambda draft, command: draft.saml_options.update({name: command.arguments["value"]}),
    )


def _check_attribute(call: Call) -> None:
    name, value = call.arguments["attribute"], call.arguments.get("value")
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and units(item) > MAX_VALUE:
            raise call.refusal(
                f"a value must have at most {MAX_VALUE} characters, not {units(item)}", code="limit"
            )
    attributes = call.memory.get("saml")
    if attributes is None:
        earlier = [command.arguments for command in call.earlier("samlResponse.setAttribute")]
        attributes = {item["attribute"]: _bytes(item["attribute"], item.get("value")) for item in earlier}
        call.memory["saml"] = attributes
    after = {**attributes, name: _bytes(name, value)}
    if len(after) > MAX_ATTRIBUTES:
        raise call.refusal(f"at most {MAX_ATTRIBUTES} attributes can be changed", code="limit")
    if sum(after.values()) > MAX_TOTAL_BYTES:
        raise call.refusal(
            f"the attributes would take {sum(after.values())} bytes; the limit is {MAX_TOTAL_BYTES}",
            code="limit",
        )
    call.memory["saml"] = after
    call.arguments["value"] = value


def _bytes(name: str, value: Any) -> int:
    return size(name) + size(value)


def _apply_attribute(draft: Draft, command: RecordedCommand) -> None:
    draft.saml_attributes[command.arguments["attribute"]] = command.arguments["value"]


def incomplete_pairs(draft: Draft) -> None:
    """Warns of a certificate without its key and the other way round."""
    for pair in _PAIRS:
        there = [name for name in pair if name in draft.saml_options]
        if len(there) == 1:
            missing = pair[1 - pair.index(there[0])]
            draft.warn(f"SAML option {there[0]} has no effect without {missing}")


SAML: Final = (
    Method(
        "samlResponse.setAttribute",
        "command",
        "api",
        f"Set an attribute of the response; null or undefined removes it. At most {MAX_ATTRIBUTES} "
        "attributes and "
        f"{MAX_TOTAL_BYTES} bytes in all.",
        parameters=(
            Parameter("attribute", text(MAX_NAME, minimum=1), f"Name; 1 to {MAX_NAME} characters."),
            Parameter(
                "value",
                Scalar | list[Scalar] | None,
                f"Value or values; each string at most {MAX_VALUE} characters.",
                required=False,
                nullable=True,
            ),
        ),
        source="pkg",
        decided="Typed void, chainable at run time as in the package. Sizes in all count names and "
        "values as JSON, "
        "over all Actions of the flow; removed attributes count as changed.",
        run=_check_attribute,
        apply=_apply_attribute,
    ),
    *(_setter(*row) for row in _OPTIONS),
)
