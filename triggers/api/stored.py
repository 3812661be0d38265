"""`setMetadata`, `deleteMetadata` and `evictMetadata` of sessions and refresh tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from triggers.api.lifetimes import ONLINE, require_offline
from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand
from triggers.engine.draft import Draft
from triggers.engine.surface import Change, Method, Parameter
from triggers.values.arguments import text
from triggers.values.json_value import record

MAX_ENTRIES: Final = 25
MAX_VALUE: Final = 255
KEY_PATTERN: Final = r"^[a-zA-Z0-9_-]{1,255}$"


def updated(metadata: Mapping[str, Any], path: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata after one of the three calls."""
    if path.endswith("evictMetadata"):
        return {}
    value = arguments.get("value")
    if value is not None:
        return {**metadata, arguments["key"]: value}
    return {key: item for key, item in metadata.items() if key != arguments["key"]}


@dataclass(frozen=True, slots=True)
class Store:
    """The owner of metadata: its name in the api, its place in the event, and its name in texts."""

    owner: Literal["session", "refreshToken"]
    place: Literal["session", "refresh_token"]
    words: str

    def exists(self, event: Mapping[str, Any]) -> bool:
        """Some flows without a browser show an empty session object: that is no session."""
        return bool(record(event, self.place))

    def metadata(self, event: Mapping[str, Any]) -> dict[str, Any]:
        return record(event, self.place, "metadata")

    def allow(self, call: Call) -> None:
        """The rule of all three calls."""
        if self.owner == "refreshToken":
            require_offline(call)

    def check(self, call: Call) -> None:
        """The rules of `setMetadata`."""
        self.allow(call)
        if self.owner == "session" and not self.exists(call.event):
            raise call.refusal("there is no session", code="not_allowed")
        value = call.arguments["value"]
        if value is None:
            return
        if "\0" in value:
            raise call.refusal("value must not contain NUL")
        there = self._now(call)
        if call.arguments["key"] not in there and len(there) >= MAX_ENTRIES:
            raise call.refusal(f"there are already {MAX_ENTRIES} entries", code="limit")

    def _now(self, call: Call) -> Mapping[str, Any]:
        if self.exists(call.event):
            return self.metadata(call.event)
        metadata: dict[str, Any] = {}
        for command in call.earlier(*(f"{self.owner}.{name}" for name in _NAMES)):
            metadata = updated(metadata, command.path, command.arguments)
        return metadata

    def changed(self, path: str, event: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[Change]:
        if not self.exists(event):
            return []
        return [([self.place, "metadata"], updated(self.metadata(event), path, arguments))]

    def apply(self, draft: Draft, command: RecordedCommand) -> None:
        lifetime = draft.session if self.owner == "session" else draft.refresh_token
        if self.exists(draft.event):
            lifetime.metadata = dict(self.metadata(draft.event))
        elif self.owner == "refreshToken":
            lifetime.metadata = updated(lifetime.metadata or {}, command.path, command.arguments)

    def method(self, name: str, doc: str, *parameters: Parameter, run: Any = None) -> Method:
        path = f"{self.owner}.{name}"
        return Method(
            path,
            "live",
            "void",
            f"{doc} event.{self.place}.metadata shows it at once.",
            parameters=parameters,
            error_prefix=f"Failed to {name.removesuffix('Metadata')} {self.words} metadata:",
            decided=f"{_UNDEFINED if name == 'setMetadata' else ''}"
            + ("An empty event.session object counts as no session." if self.owner == "session" else ONLINE),
            run=run or self.allow,
            change=partial(self.changed, path),
            apply=self.apply,
        )


_UNDEFINED: Final = "undefined as the value throws: only null removes. "
_NAMES: Final = ("setMetadata", "deleteMetadata", "evictMetadata")
_KEY: Final = Parameter(
    "key", text(255, minimum=1, pattern=KEY_PATTERN), "1 to 255 letters, digits, _ and -."
)
_VALUE: Final = Parameter(
    "value",
    text(MAX_VALUE) | None,
    f"At most {MAX_VALUE} characters, no NUL; null removes the key.",
    nullable=True,
)


def _methods(store: Store, absent: str) -> tuple[Method, ...]:
    words = store.words
    return (
        store.method(
            "setMetadata",
            f"Set one entry of the {words}'s metadata, at most {MAX_ENTRIES} in all. {absent}",
            _KEY,
            _VALUE,
            run=store.check,
        ),
        store.method(
            "deleteMetadata",
            f"Remove one entry of the {words}'s metadata, if it is there.",
            Parameter("key", str, "Name of the entry."),
        ),
        store.method("evictMetadata", f"Remove all entries of the {words}'s metadata."),
    )


SESSION_METADATA: Final = _methods(Store("session", "session", "session"), "Throws when there is no session.")
REFRESH_TOKEN_METADATA: Final = _methods(
    Store("refreshToken", "refresh_token", "refresh token"), "Works before there is a token."
)
