"""docs/compatibility.md: every member and property of every trigger, and all that was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from tools.reference.decisions import DECISIONS
from tools.reference.markdown import code, codes, table
from tools.reference.pages import GENERATED, signature
from triggers.events.model.introspection import Property, walk
from triggers.registry import known_triggers

if TYPE_CHECKING:
    from triggers.engine.surface import Method
    from triggers.engine.trigger import Trigger

_LIVE: Final = "; follows the api at once"
_REFRESHED: Final = {
    "accessToken.customClaims": _LIVE,
    "accessToken.scope": "",
    "authentication.methods": "; renewed after a challenge",
    "prompt": "; set when a form returns",
    "refresh_token.metadata": _LIVE,
    "request": "; replaced when a suspended flow resumes",
    "session.cookie.mode": _LIVE,
    "session.metadata": _LIVE,
    "transaction.metadata": _LIVE,
    "transaction.target_scopes": _LIVE,
    "user.app_metadata": "; the next Action sees changes",
    "user.user_metadata": "; the next Action sees changes",
}
"""Properties that the engine changes while a flow runs (reference/triggers.md section 6)."""

NOT_AVAILABLE: Final = (
    (
        "event-stream",
        "`api.message.fail(reason)`",
        "named in one comment of a page, in no reference; throw instead",
    ),
    (
        "pre-user-registration",
        "`onContinuePreUserRegistration`",
        "nothing in this trigger can suspend a flow",
    ),
    (
        "all",
        "Actions of deprecated versions (`(event, context)`, returned result objects)",
        "only current versions run",
    ),
    (
        "post-login",
        "a `url` property of `event.authentication.methods[]`",
        "one page's sample; `name` holds the URL",
    ),
)
"""(trigger, what, why): what some source mentions and actionbox does not have."""

_INTRO: Final = f"""\
# Compatibility

{GENERATED}

What each trigger offers, member by member and property by property, and every place where behaviour was
decided because the reference is silent or contradicts itself. What JavaScript Actions share with Node, found
by running both, is in [compatibility/javascript.md](compatibility/javascript.md), decisions of the sandboxes
and the flow in [compatibility/decisions.md](compatibility/decisions.md), how events are checked in
[decision 3](decisions/0003-event-validation.md). Triggers in detail: {{links}}.

States: *available*; *gated* (throws until the platform turns the feature on); *not available*. Event
properties are all available: checked for their type when they are there, and handed on as they came. A
state in brackets is the service's own (early access, beta, or known from the published package only)."""


def compatibility() -> str:
    """The whole document."""
    triggers = known_triggers()
    links = ", ".join(f"[{trigger.id}](triggers/{trigger.id}.md)" for trigger in triggers)
    sections = (_section(trigger) for trigger in triggers)
    parts = [_INTRO.format(links=links), *_missing(), *_experimental(), *_everywhere(), *sections]
    return "\n\n".join(parts) + "\n"


def _missing() -> Iterator[str]:
    rows = [(code(trigger) if trigger != "all" else "all", what, why) for trigger, what, why in NOT_AVAILABLE]
    yield "## Not available"
    yield table(("Trigger", "What", "Why"), rows)


def _experimental() -> Iterator[str]:
    yield "## Experimental"
    yield (
        "Of these triggers the event is known and no api is published. Their Actions can be written, typed, "
        "run and tested (`actionbox run`, the library, `POST /actions/actions/{id}/test`); the api is empty. "
        "The service neither binds nor invokes them, and all of this may change with what is published."
    )
    rows = ((code(item.id), item.experimental) for item in known_triggers() if item.experimental)
    yield table(("Trigger", "What is known"), rows)


def _everywhere() -> Iterator[str]:
    yield "## Decided for all triggers"
    yield table(("What", "Decision"), ((decision.topic, decision.text) for decision in DECISIONS))


def _section(trigger: Trigger) -> str:
    versions = ", ".join(f"{version.name} {version.status}" for version in trigger.versions)
    parts = [
        f"## {trigger.id}",
        f"Versions: {versions}; {trigger.version} runs. Handlers: {codes(trigger.handlers)}."
        + (" Experimental: no api is published." if trigger.experimental else ""),
        *_members(trigger),
        table(("Property", "State", "Set by"), _properties(trigger)),
    ]
    decided = list(_decided(trigger))
    if decided:
        parts += ["Decided:", "\n".join(decided)]
    return "\n\n".join(parts)


def _members(trigger: Trigger) -> Iterator[str]:
    if trigger.surface.methods:
        rows = (_member(method) for method in trigger.surface.methods)
        yield table(("Member", "State", "Source"), rows)


def _member(method: Method) -> tuple[str, str, str]:
    gate = f" (`{method.gate}`)" if method.gate else ""
    source = {"docs": "documentation", "pkg": "published package", "decided": "decided"}[method.source]
    return code(f"api.{signature(method)}"), f"{method.state}{gate}", source


def _properties(trigger: Trigger) -> Iterator[tuple[str, str, str]]:
    for path, entry in walk(trigger.event_model):
        state = f"available [{entry.state}]" if entry.state else "available"
        yield code(f"event.{path}"), state, _setter(path, entry)


def _setter(path: str, entry: Property) -> str:
    if path in ("secrets", "configuration"):
        return "host, per Action"
    origin = "caller, else host" if entry.always and not entry.required else "caller"
    return origin + _REFRESHED.get(path, "")


def _decided(trigger: Trigger) -> Iterator[str]:
    """One line per note; members that share a note share the line."""
    yield from (f"- {note}" for note in trigger.decided)
    notes: dict[str, list[str]] = {}
    for method in trigger.surface.methods:
        if method.decided:
            notes.setdefault(method.decided, []).append(f"api.{method.path}")
    yield from (f"- {_listed(paths)}: {note}" for note, paths in notes.items())


def _listed(paths: Iterable[str]) -> str:
    return codes(paths)
