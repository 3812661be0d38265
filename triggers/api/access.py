"""`api.access` and `api.validation`: refusing the operation."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator

from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.effects import Denial
from triggers.engine.surface import Method, Option, Options, Parameter, Returns
from triggers.values.arguments import text
from triggers.values.json_value import cut, shown
from triggers.values.json_value import text as json_text

MAX_REASON: Final = 4096
"""Characters of a reason that are kept where the reference gives no limit (decided)."""


def as_text(value: Any) -> str:
    """A reason as text: a deny must not turn into something weaker because its reason is odd."""
    shown = value if isinstance(value, str) else json_text(value)
    return cut(shown, MAX_REASON)


Reason = Annotated[str, BeforeValidator(as_text)]


def reason(name: str, doc: str) -> Parameter:
    """A text for people that may be left out; an error stands for its message."""
    return Parameter(name, Reason, doc, required=False, message=True)


_LENIENT: Final = (
    "The package validates nothing here: a missing reason is empty, an error (in Python an exception) stands "
    f"for its message, any other value is turned into text, and text over {MAX_REASON} characters is cut, so "
    "that a deny always denies. The first deny of a flow stands."
)


def _denied(draft: Draft, command: RecordedCommand) -> None:
    draft.deny(
        Denial(
            kind="access",
            code=command.arguments.get("code", "access_denied"),
            reason=command.arguments.get("reason", ""),
            action=command.action,
        )
    )


def _signup_denied(draft: Draft, command: RecordedCommand) -> None:
    draft.deny(
        Denial(
            kind="access",
            code="extensibility_error",
            reason=command.arguments.get("reason", ""),
            user_message=command.arguments.get("userMessage"),
            action=command.action,
        )
    )


def _credential_denied(draft: Draft, command: RecordedCommand) -> None:
    draft.deny(
        Denial(
            kind="credential",
            code="invalid_user_password",
            reason=command.arguments.get("options", {}).get("reason", ""),
            action=command.action,
        )
    )


def _invalid_token(draft: Draft, command: RecordedCommand) -> None:
    draft.deny(
        Denial(
            kind="invalid_subject_token",
            code="invalid_request",
            reason=command.arguments["reason"],
            action=command.action,
        )
    )


def _invalid(draft: Draft, command: RecordedCommand) -> None:
    draft.deny(
        Denial(
            kind="validation",
            code=command.arguments["errorCode"],
            reason=command.arguments["errorMessage"],
            user_message=command.arguments["errorMessage"],
            action=command.action,
        )
    )


TOKEN_CODES: Final = ("invalid_scope", "invalid_request", "server_error")
"""What credentials-exchange documents as codes."""


def _any_code(call: Call) -> None:
    code = call.arguments["code"]
    if not code:
        raise call.refusal("code must not be empty")
    call.arguments["code"] = cut(code, MAX_REASON)


def _token_denied(draft: Draft, command: RecordedCommand) -> None:
    code = command.arguments["code"]
    if code not in TOKEN_CODES:
        near = get_close_matches(code, TOKEN_CODES, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        draft.warn(f"the denial's code {shown(code)} is none of {', '.join(TOKEN_CODES)}{meant}")
    _denied(draft, command)


def deny(returns: Returns) -> Method:
    """`access.deny(reason)`."""
    return Method(
        "access.deny",
        "command",
        returns,
        "Refuse the operation when this Action completes; no later Action runs. The handler goes on, and "
        "what else the Action asked for is kept.",
        parameters=(reason("reason", "Why; the application gets it as error_description."),),
        decided=_LENIENT,
        apply=_denied,
        denies=True,
    )


DENY_WITH_CODE: Final = Method(
    "access.deny",
    "command",
    "api",
    "Refuse the token; no later Action runs.",
    parameters=(
        Parameter(
            "code",
            Literal["invalid_scope", "invalid_request", "server_error"] | str,
            "What the application gets as error.",
        ),
        reason("reason", "What it gets as error_description."),
    ),
    decided="Whether the service takes other codes is undocumented: they deny as well, with a warning in the "
    "effects; a code that is no string throws. Later Actions of the trigger do not run. " + _LENIENT,
    run=_any_code,
    apply=_token_denied,
    denies=True,
)

DENY_SIGNUP: Final = Method(
    "access.deny",
    "command",
    "api",
    "Refuse the signup when this Action completes; no later Action runs and no user is created.",
    parameters=(
        reason("reason", "Why; for the tenant's logs."),
        reason("userMessage", "Text that may be shown to the user."),
    ),
    decided=_LENIENT,
    apply=_signup_denied,
    denies=True,
)

DENY_EXCHANGE: Final = Method(
    "access.deny",
    "command",
    "void",
    "Refuse the exchange.",
    parameters=(
        Parameter(
            "code",
            text(1024, minimum=1),
            "invalid_request, server_error or a code of your own; 1 to 1024 characters.",
        ),
        Parameter("reason", text(4096, minimum=1), "Why; 1 to 4096 characters.", message=True),
    ),
    apply=_denied,
    denies=True,
)

REJECT_SUBJECT_TOKEN: Final = Method(
    "access.rejectInvalidSubjectToken",
    "command",
    "void",
    "Refuse the exchange with invalid_request and count a failed attempt of this IP address.",
    parameters=(Parameter("reason", text(4096, minimum=1), "Why; 1 to 4096 characters.", message=True),),
    apply=_invalid_token,
    denies=True,
)

DENY_CREDENTIAL: Final = Method(
    "authentication.deny",
    "command",
    "void",
    "Refuse the login when this Action completes; no later Action runs. The caller is answered as for a "
    "wrong credential.",
    options=Options(
        (Option("reason", Reason, "Why; for the tenant's records, never for the caller.", message=True),),
        bare="reason",
    ),
    decided="The code of the denial is invalid_user_password, as for a wrong credential. A value in place of "
    "the options is the reason. " + _LENIENT,
    apply=_credential_denied,
    denies=True,
)

VALIDATION_ERROR: Final = Method(
    "validation.error",
    "command",
    "api",
    "Refuse the operation as a validation error.",
    parameters=(
        Parameter("errorCode", text(100, minimum=1), "A code of your own; at most 100 characters."),
        Parameter(
            "errorMessage", text(100, minimum=1), "Text for the user; at most 100 characters.", message=True
        ),
    ),
    decided="Ends the flow like a deny; beside a deny, the earlier call of the two stands.",
    apply=_invalid,
    denies=True,
)
