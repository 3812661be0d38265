"""`api.notification`: what became of a message that a provider Action had to deliver."""

from __future__ import annotations

from typing import Final, Literal

from triggers.api.access import reason
from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.effects import Notification
from triggers.engine.surface import Method
from triggers.values.json_value import cut

MAX_REASON: Final = 1024
"""Characters of the reason that are kept."""


def _cut(call: Call) -> None:
    call.arguments["reason"] = cut(call.arguments.get("reason", ""), MAX_REASON)


def delivered(draft: Draft) -> None:
    """Without a call the message counts as delivered."""
    draft.members["notification"] = Notification()


def _method(outcome: Literal["drop", "retry"], doc: str) -> Method:
    def apply(draft: Draft, command: RecordedCommand) -> None:
        draft.members["notification"] = Notification(outcome=outcome, reason=command.arguments["reason"])

    return Method(
        f"notification.{outcome}",
        "command",
        "void",
        f"{doc} The last call wins.",
        parameters=(reason("reason", f"Why; cut at {MAX_REASON} characters."),),
        decided="A missing reason is empty, an error (in Python an exception) stands for its message, any "
        "other value is turned into text.",
        run=_cut,
        apply=apply,
    )


NOTIFICATION: Final = (
    _method("drop", "Delivery failed for good: it is logged and not tried again."),
    _method("retry", "Delivery failed and may work later: it is tried up to five more times."),
)
