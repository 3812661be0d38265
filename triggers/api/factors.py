"""`api.authentication` and `api.multifactor`: challenges, enrolments and recorded methods."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.effects import Multifactor, RecordedMethod
from triggers.engine.surface import Method, Option, Options, Parameter
from triggers.values.arguments import ChallengeFactor, DuoOptions, EnrollFactor
from triggers.values.json_value import member
from triggers.values.urls import UrlError, with_query

MAX_COMMANDS: Final = 4
"""Challenge and enrolment commands of one flow."""
_PATHS: Final = tuple(
    f"authentication.{name}" for name in ("challengeWith", "challengeWithAny", "enrollWith", "enrollWithAny")
)

_DECIDED: Final = (
    "Factors passed in this transaction (for enrolments: factors that event.user.enrolledFactors lists) are "
    "left out; when none is left nothing is asked and the flow goes on, where pages of the reference "
    "disagree. Whether a factor is enabled, and for a challenge enrolled, is the "
    "platform's to check. A fifth command throws, and the "
    "execution fails even when the Action catches it. Not together with a redirect or form in one Action."
)


def _check(call: Call) -> None:
    if member(call.event, "transaction", "protocol") == "oauth2-token-exchange":
        raise call.refusal("is not possible in a token exchange", code="not_allowed", aborts=True)
    if sum(1 for _ in call.earlier(*_PATHS)) >= MAX_COMMANDS:
        raise call.refusal(
            f"a flow can ask for at most {MAX_COMMANDS} challenges and enrolments; this would be one more",
            code="limit",
            aborts=True,
        )


def _asked(draft: Draft, _command: RecordedCommand) -> None:
    draft.challenged = True


def _with(kind: Literal["challenge", "enroll"], factor: Any, doc: str) -> tuple[Method, Method]:
    one = Method(
        f"authentication.{kind}With",
        "command",
        "void",
        f"Suspend the flow after this Action and {doc}; the next Action goes on.",
        parameters=(Parameter("factor", factor, "The factor to ask for."),),
        options=Options((Option("additionalFactors", list[factor], "Factors that the user may switch to."),)),
        decided=_DECIDED,
        run=_check,
        apply=_asked,
        suspends=kind,
    )
    several = Method(
        f"authentication.{kind}WithAny",
        "command",
        "void",
        f"Suspend the flow after this Action, let the user pick a factor and {doc}; the next Action goes on.",
        parameters=(
            Parameter(
                "factors", Annotated[list[factor], Field(min_length=1)], "Factors to pick from; not empty."
            ),
        ),
        decided=_DECIDED,
        run=_check,
        apply=_asked,
        suspends=kind,
    )
    return one, several


CHALLENGES: Final = _with("challenge", ChallengeFactor, "challenge the user")
ENROLLMENTS: Final = _with("enroll", EnrollFactor, "have the user enrol the factor")


def _provider_options(call: Call) -> None:
    if "providerOptions" in call.arguments.get("options", {}) and call.arguments["provider"] != "duo":
        raise call.refusal("options.providerOptions is for the provider duo only")


def _enable(draft: Draft, command: RecordedCommand) -> None:
    options = command.arguments.get("options", {})
    draft.multifactor = Multifactor(
        provider=command.arguments["provider"],
        allow_remember_browser=options.get("allowRememberBrowser", False),
        provider_options=options.get("providerOptions"),
    )


MULTIFACTOR: Final = Method(
    "multifactor.enable",
    "command",
    "api",
    "Challenge the user once, after all Actions, or skip multi-factor authentication with `none`. "
    "Challenges and enrolments of api.authentication take the place of this one; allowRememberBrowser then "
    "holds for them.",
    parameters=(
        Parameter(
            "provider",
            Literal["none", "any", "guardian", "google-authenticator", "duo"],
            "Which provider challenges.",
        ),
    ),
    options=Options(
        (
            Option("allowRememberBrowser", bool, "Offer to remember this browser.", default=False),
            Option(
                "providerOptions",
                DuoOptions,
                "Another Duo account than the tenant's; for duo only.",
                sensitive=True,
            ),
        )
    ),
    decided="providerOptions with another provider than duo throws. The last call wins. Beside a challenge "
    "or an enrolment, whichever comes first, the effects of the suspended leg have both.",
    run=_provider_options,
    apply=_enable,
)


def _record(call: Call) -> None:
    if not call.continuing:
        raise call.refusal("is for the continue handler only", code="not_allowed")
    url = call.arguments["provider_url"]
    try:
        with_query(url, {})
    except UrlError as error:
        raise call.refusal(f"provider_url {error}") from None
    if not url.lower().startswith(("http://", "https://")):
        raise call.refusal("provider_url must be an http or https URL")
    at = datetime.fromtimestamp(call.services.now() / 1000, UTC)
    call.arguments["timestamp"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


RECORD_METHOD: Final = Method(
    "authentication.recordMethod",
    "command",
    "api",
    "Record a custom authentication method in the session; later logins see it in "
    "event.authentication.methods. For the continue handler only.",
    parameters=(Parameter("provider_url", str, "http or https URL that names the method."),),
    decided="Throws outside the continue handler. The name is kept as given.",
    run=_record,
    apply=lambda draft, command: draft.recorded_methods.append(
        RecordedMethod(name=command.arguments["provider_url"], timestamp=command.arguments["timestamp"])
    ),
)
