"""What an Action learns of the platform through its api, cache and directory, as the record has it.

Everything else of an api is a function of event, arguments and clock, and is answered live.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.core.program import JsonValue
from sandbox.port.interface import ApiHost, ApiReply
from sandbox.port.journal import Entry, Journal

_CACHE: Final = "cache."
_DIRECTORY: Final = ("groups.", "roles.")
_UNKNOWN: Final = "The recorded execution did not ask this of api."


@dataclass(frozen=True, slots=True)
class UnknownQuestion:
    """A question about the user that the record has no answer to. `commands`: recorded by then."""

    path: str
    arguments: str
    commands: int

    def __str__(self) -> str:
        return f"api.{self.path} {self.arguments}"


@dataclass(slots=True)
class RecordedAnswers:
    """Stands between a port and a session of a trigger (`sandbox.port.interface.ApiHost`).

    Attributes:
        unknown: questions that the record has no answer to; the guest sees an error.
    """

    api: ApiHost
    journal: Journal
    unknown: list[UnknownQuestion] = field(default_factory=list)
    _commands: int = 0
    _keys: dict[str, _Key] = field(default_factory=dict)
    _asked: dict[tuple[str, str], deque[ApiReply]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in self.journal.entries:
            if entry.operation != "api":
                continue
            path = entry.arguments["path"]
            if path.startswith((_CACHE, *_DIRECTORY)):
                self._note(path, entry)

    def call(self, path: str, arguments: list[JsonValue]) -> ApiReply:
        """See `ApiHost.call`. The session is asked in any case: it checks the arguments, and reads its clock
        as the record has it."""
        reply = self.api.call(path, arguments)
        if reply.get("recorded"):
            self._commands += 1
        if "error" in reply or not path.startswith((_CACHE, *_DIRECTORY)):
            return reply
        if path.startswith(_CACHE):
            key = str(arguments[0]) if arguments else ""
            return self._keys.setdefault(key, _Key()).answer(path, _text(arguments), reply)
        return self._answered(path, arguments)

    def _answered(self, path: str, arguments: list[JsonValue]) -> ApiReply:
        known = self._asked.get((path, _text(arguments)))
        if known:
            return known.popleft() if len(known) > 1 else known[0]
        self.unknown.append(UnknownQuestion(path, _text(arguments), self._commands))
        return {"error": {"name": "Error", "message": f"{_UNKNOWN}{path}"}}

    def _note(self, path: str, entry: Entry) -> None:
        try:
            arguments = json.loads(entry.arguments["arguments"])
            reply: Any = json.loads(entry.result["reply"] or "{}")
        except (ValueError, RecursionError):
            return
        if not isinstance(arguments, list) or not isinstance(reply, dict) or "error" in reply:
            return
        answer: ApiReply = {"ok": reply["ok"]} if "ok" in reply else {}
        if path.startswith(_CACHE):
            key = str(arguments[0]) if arguments else ""
            self._keys.setdefault(key, _Key()).calls.append((path, _text(arguments), answer))
        else:
            self._asked.setdefault((path, _text(arguments)), deque()).append(answer)


@dataclass(slots=True)
class _Key:
    """One key of the cache: answered as recorded while it is used as recorded. After that the program sees
    what it wrote itself, and as long as it wrote nothing, what the record saw there."""

    calls: deque[tuple[str, str, ApiReply]] = field(default_factory=deque)
    value: JsonValue = None
    own: bool = False

    def answer(self, path: str, arguments: str, live: ApiReply) -> ApiReply:
        if self.calls and not self.own:
            recorded_path, recorded_arguments, reply = self.calls[0]
            if (recorded_path, recorded_arguments) == (path, arguments):
                self.calls.popleft()
                self._saw(path, reply)
                return reply
        if path == "cache.get":
            return self._read()
        self.own = True
        self._saw(path, live)
        if path == "cache.delete" and self.value is not None:
            self.value = None
            return {"ok": {"type": "success"}}
        return live

    def _read(self) -> ApiReply:
        if not self.own:
            upcoming = next((reply for path, _, reply in self.calls if path == "cache.get"), None)
            if upcoming is not None:
                return upcoming
        return {} if self.value is None else {"ok": self.value}

    def _saw(self, path: str, reply: ApiReply) -> None:
        ok: Any = reply.get("ok")
        if path == "cache.get":
            self.value = ok
        elif path == "cache.set" and isinstance(ok, dict) and "record" in ok:
            self.value = ok["record"]
        elif path == "cache.delete" and isinstance(ok, dict) and ok.get("type") == "success":
            self.value = None


def _text(arguments: Any) -> str:
    return json.dumps(arguments, sort_keys=True, separators=(",", ":"))
