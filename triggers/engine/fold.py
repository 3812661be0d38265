"""The fold: recorded commands, one after another, into `Effects`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from triggers.engine.claims import sort_out
from triggers.engine.commands import RecordedCommand, Suspension
from triggers.engine.draft import Draft
from triggers.engine.effects import (
    Denial,
    Effects,
    Lifetime,
    Multifactor,
    Saml,
    SessionEffects,
    TokenExchange,
)
from triggers.engine.trigger import Trigger

INTERACTION_REQUIRED = "engine.interaction_required"
"""The engine's own entry: an Action asked for a redirect or form where none is possible."""


def fold(
    trigger: Trigger,
    event: dict[str, Any],
    commands: Iterable[RecordedCommand],
    waiting: Suspension | None,
) -> Effects:
    """The effects of a flow's commands. Reads nothing but its arguments."""
    draft = Draft(event)
    if trigger.prepare is not None:
        trigger.prepare(draft)
    for command in commands:
        method = trigger.surface.get(command.path)
        if method is not None and method.apply is not None:
            method.apply(draft, command)
        elif command.path == INTERACTION_REQUIRED:
            draft.deny(
                Denial(
                    kind="interaction_required",
                    code="interaction_required",
                    reason=command.arguments["reason"],
                    action=command.action,
                )
            )
    for note in trigger.notes:
        note(draft)
    return _finish(draft, waiting)


def _finish(draft: Draft, waiting: Suspension | None) -> Effects:
    id_claims, id_dropped = sort_out("id", draft.claims["id"], draft.event)
    access_claims, access_dropped = sort_out("access", draft.claims["access"], draft.event)
    user_metadata, app_metadata = _metadata(draft)
    return Effects(
        decision="deny" if draft.denial else "allow",
        denial=draft.denial,
        id_token_claims=id_claims,
        access_token_claims=access_claims,
        dropped_claims=(*id_dropped, *access_dropped),
        scopes_added=tuple(scope for scope, added in draft.scopes.items() if added),
        scopes_removed=tuple(scope for scope, added in draft.scopes.items() if not added),
        user_metadata=user_metadata,
        app_metadata=app_metadata,
        primary_user_id=draft.primary_user[1] if draft.primary_user else None,
        redirect=waiting.redirect if waiting else None,
        prompt=waiting.prompt if waiting else None,
        steps=waiting.steps if waiting else (),
        multifactor=_multifactor(draft, waiting),
        recorded_methods=tuple(draft.recorded_methods),
        saml=Saml(options=draft.saml_options, attributes=draft.saml_attributes),
        session=SessionEffects(**dict(draft.session)),
        refresh_token=Lifetime(**dict(draft.refresh_token)),
        token_exchange=_exchange(draft),
        warnings=tuple(draft.warnings),
        **draft.members,
    )


def _multifactor(draft: Draft, waiting: Suspension | None) -> Multifactor | None:
    """Steps of the flow take the place of its challenge; while they are asked for, it says how."""
    found = draft.multifactor
    if found is None or not draft.challenged:
        return found
    if found.provider != "any":
        call = f"multifactor.enable({found.provider!r})"
        draft.warn(f"{call} is overridden by the challenges and enrolments of the flow")
    return found if waiting is not None and waiting.steps else None


def _exchange(draft: Draft) -> TokenExchange | None:
    if draft.user is None and draft.organization is None and draft.actor is None:
        return None
    return TokenExchange(user=draft.user, organization=draft.organization, actor=draft.actor)


def _metadata(draft: Draft) -> tuple[dict[str, Any], dict[str, Any]]:
    """The merged profile write; the user metadata of the Action that set the primary user is lost
    (reference/behaviour.md section 13)."""
    written: dict[Literal["user", "app"], dict[str, Any]] = {"user": {}, "app": {}}
    for action, kind, key, value in draft.metadata:
        if kind == "user" and draft.primary_user is not None and draft.primary_user[0] == action:
            draft.warn(f"user_metadata {key!r} is lost, because the same Action sets the primary user")
            continue
        written[kind][key] = value
    return written["user"], written["app"]
