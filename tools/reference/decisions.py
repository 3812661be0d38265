"""Decisions on flows where the reference is silent or contradicts itself.

Decisions about one member stand at its declaration (`Method.decided`), those about one trigger at the trigger
(`Trigger.decided`); docs/compatibility.md is generated from all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: what it is about, what was decided, and why where that is not plain."""

    topic: str
    text: str


DECISIONS: Final = (
    Decision(
        "deny twice",
        "The first refusal of a flow stands (deny, validation error, revocation); later ones of the "
        "same Action "
        "change neither code nor reason, a revocation still revokes.",
    ),
    Decision("deny beside a suspension", "The deny wins; the redirect, form or challenge never happens."),
    Decision(
        "deny and other effects",
        "Metadata, claims and other commands of an Action that denies are kept, before and after the call.",
    ),
    Decision(
        "failed Action",
        "An Action that throws, is stopped or breaks a rule at its end contributes nothing. Cache "
        "writes are not "
        "undone.",
    ),
    Decision(
        "one way to suspend",
        "A redirect, a form and multi-factor steps exclude each other within one Action: the second "
        "call throws, "
        "and the execution fails even when the Action catches the error. Documented for redirect "
        "beside form; "
        "extended to multi-factor steps, whose resumption differs.",
    ),
    Decision(
        "several redirects in one Action",
        "The last call wins; a second form fails the execution (documented).",
    ),
    Decision(
        "nothing left to ask",
        "When all factors of a challenge were passed in this transaction, or all factors of an "
        "enrolment exist, "
        "the step is skipped; without any step left the flow goes on. Pages of the reference disagree.",
    ),
    Decision(
        "challenge and enrolment in one Action",
        "They form one sequence in the order of the calls and one suspension.",
    ),
    Decision(
        "redirect where none is possible",
        "The flow ends with interaction_required after the Action, as if denied; other effects are kept.",
    ),
    Decision(
        "multi-factor steps in a delegated session",
        "The flow ends with interaction_required after the Action.",
    ),
    Decision(
        "event.prompt",
        "It stays for the Actions after the continue handler, until the flow is resumed from something else.",
    ),
    Decision(
        "metadata in pre-user-registration", "Later Actions of the flow see it, as documented for post-login."
    ),
    Decision(
        "claims and later Actions",
        "event.accessToken.customClaims does not change during a flow; claims show in the effects only.",
    ),
    Decision(
        "text",
        "Characters are counted as UTF-16 code units, as JavaScript does; bytes are those of UTF-8. Lone "
        "surrogates in arguments become U+FFFD, NaN and infinities null.",
    ),
    Decision(
        "arguments",
        "Extra arguments and unknown options are ignored, except where the reference says they "
        "throw; null for "
        "something optional counts as left out, unless null has a meaning there.",
    ),
    Decision(
        "nesting",
        "Arguments and events are nested at most 64 levels deep; integers stay below 2^1024 in size.",
    ),
    Decision(
        "event.secrets and event.configuration",
        "They come from the Action, not from the event that is handed in; an event's own "
        "configuration is used "
        "when the platform gives none.",
    ),
)
