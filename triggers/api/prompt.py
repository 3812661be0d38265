"""`api.prompt`: showing a form."""

from __future__ import annotations

import re
from typing import Any, Final

from triggers.engine.call import Call
from triggers.engine.surface import Method, Option, Options, Parameter
from triggers.values.arguments import text
from triggers.values.json_value import shown, size

MAX_ID: Final = 48
MAX_KEYS: Final = 24
MAX_OPTIONS_BYTES: Final = 24_576
_FIELD: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,49}")


def _check(call: Call) -> None:
    options = call.arguments.get("promptOptions", {})
    for name in ("fields", "vars"):
        if len(options.get(name, {})) > MAX_KEYS:
            raise call.refusal(
                f"promptOptions.{name} must have at most {MAX_KEYS} keys, not {len(options[name])}",
                code="limit",
            )
    for key in options.get("fields", {}):
        if _FIELD.fullmatch(key) is None:
            raise call.refusal(f"the field name {shown(key)} must match ^{_FIELD.pattern}$")
    if size(options) > MAX_OPTIONS_BYTES:
        raise call.refusal(
            f"promptOptions takes {size(options)} bytes; the limit is {MAX_OPTIONS_BYTES}", code="limit"
        )


RENDER: Final = Method(
    "prompt.render",
    "command",
    "void",
    "Suspend the flow after this Action and show a form; the same Action goes on in its continue "
    "handler, with "
    "the result in event.prompt. One form per Action, not together with a redirect.",
    parameters=(
        Parameter("promptId", text(MAX_ID, minimum=1), f"Id of the form; at most {MAX_ID} characters."),
    ),
    options=Options(
        (
            Option(
                "fields",
                dict[str, Any],
                f"Values for the form's fields, visible to the browser; at most {MAX_KEYS} keys of letters, "
                "digits and _.",
            ),
            Option("vars", dict[str, Any], f"Values that stay on the server; at most {MAX_KEYS} keys."),
        ),
        name="promptOptions",
        closed=True,
    ),
    decided="Where no form can be shown the flow ends with interaction_required. Not together with "
    "multi-factor "
    "steps in one Action.",
    run=_check,
    suspends="prompt",
)
