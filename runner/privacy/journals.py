"""Redacted forms of journals: every host call with its arguments and its answer."""

from __future__ import annotations

import json
from typing import Any, Final

from runner.privacy.fields import at_path, mapped
from runner.privacy.texts import Masker
from sandbox.core.json_text import encode
from triggers.events.model.introspection import Shape

_PLAIN_HEADERS: Final = frozenset(
    {
        "accept", "accept-encoding", "accept-language", "age", "allow", "cache-control", "connection",
        "content-encoding", "content-language", "content-length", "content-type", "date", "retry-after",
        "server", "transfer-encoding", "user-agent", "vary",
    }
)  # fmt: skip
"""Their values are of the protocol, in requests of Actions and in answers to them."""
_OF_DATA: Final = frozenset({"encrypt", "deflate"})
"""Computations on data alone, whose fingerprint may be found by trying. Of others it covers a private key or
a signature as well, which nobody guesses."""
_STYLES: Final[tuple[dict[str, Any], ...]] = (
    {"separators": (",", ":"), "ensure_ascii": False},
    {"separators": (",", ":"), "ensure_ascii": True},
    {"ensure_ascii": True},
    {"ensure_ascii": False},
)


class Journals:
    """Args:
    event: shape of the trigger's event, whose members the answers to api calls may change.
    visit, rename: see `fields.mapped`.
    """

    def __init__(self, masker: Masker, event: Shape, visit: Any, rename: Any) -> None:
        self._masker, self._event, self._visit, self._rename = masker, event, visit, rename

    def journal(self, data: Any) -> Any:
        """The redacted form of a journal's data; what is none becomes a denied value."""
        if not isinstance(data, dict) or not isinstance(data.get("entries"), list):
            return self._masker.value(data)
        entries = [self._entry(item) for item in data["entries"]]
        return {
            **{key: value for key, value in data.items() if key in ("version", "outcome")},
            "entries": entries,
        }

    def _entry(self, entry: Any) -> Any:
        known = isinstance(entry, dict) and isinstance(entry.get("operation"), str)
        if not known or not all(isinstance(entry.get(name), dict) for name in ("arguments", "result")):
            return self._masker.value(entry)
        operation = entry["operation"]
        given, got = dict(entry["arguments"]), dict(entry["result"])
        made = {**entry, "arguments": given, "result": got}
        match operation:
            case "api":
                _change(given, "arguments", self._masker.text)
                _change(got, "reply", self._reply)
            case "log":
                _change(given, "text", self._masker.text)
            case "start":
                _change(given, "arguments", self._request)
            case "wait":
                _change(got, "answer", self._answer)
            case "compute":
                if given.get("operation") in _OF_DATA:
                    _change(given, "arguments", self._masker.text)
                _change(got, "answer", self._computed)
            case "stop":
                _change(got, "message", self._masker.text)
                detail = got.get("detail")
                got["detail"] = (
                    {key: self._masker.value(item) for key, item in detail.items()}
                    if isinstance(detail, dict)
                    else {}
                )
            case "log_dropped" | "cancel" | "wall" | "monotonic" | "random":
                pass
            case _:
                return self._masker.value(entry)
        return made

    def _reply(self, text: str) -> str:
        data = _parsed(text)
        if not isinstance(data, dict):
            return self._masker.text(text)
        made: dict[str, Any] = {}
        for key, value in data.items():
            if key == "event" and isinstance(value, list):
                made[key] = [self._changed(item) for item in value]
            elif key == "error" and isinstance(value, dict):
                made[key] = self._error(value)
            else:
                made[key] = self._masker.value(value)
        return encode(made)

    def _changed(self, change: Any) -> Any:
        if not (isinstance(change, list) and len(change) == 2 and isinstance(change[0], list)):
            return self._masker.value(change)
        path, value = change
        shape, holds = at_path(self._event, path)
        if shape is None:
            return [[str(step) for step in path], self._masker.value(value)]
        return [path, mapped(shape, holds, value, ".".join(map(str, path)), self._visit, self._rename)]

    def _error(self, error: dict[str, Any]) -> dict[str, Any]:
        ours = ("name", "code", "rule", "system", "argument")
        return {key: value if key in ours else self._masker.value(value) for key, value in error.items()}

    def _computed(self, text: str) -> str:
        """Names in it are of the host."""
        data = _parsed(text)
        if not isinstance(data, dict):
            return self._masker.text(text)
        answer = data.get("ok")
        if not isinstance(answer, dict):
            return encode(
                {key: value if key == "error" else self._masker.value(value) for key, value in data.items()}
            )
        made = {
            key: self._masker.base64(value) if isinstance(value, str) else self._masker.value(value)
            for key, value in answer.items()
        }
        return encode({"ok": made})

    def _request(self, text: str) -> str:
        data = _parsed(text)
        if not isinstance(data, dict):
            return self._masker.text(text)
        made = {
            key: self._http(key, value) if key in ("url", "headers", "body") else _own(value, self._masker)
            for key, value in data.items()
        }
        style = next((style for style in _STYLES if json.dumps(data, **style) == text), _STYLES[0])
        return json.dumps(made, **style)

    def _answer(self, text: str) -> str:
        data = _parsed(text)
        if not isinstance(data, dict):
            return text if not text else self._masker.text(text)
        made = dict(data)
        if isinstance(data.get("ok"), dict):
            made["ok"] = {key: self._http(key, value, keys=True) for key, value in data["ok"].items()}
        elif "ok" in data:
            made["ok"] = self._masker.value(data["ok"])
        if isinstance(data.get("error"), dict):
            made["error"] = self._error(data["error"])
        return encode({key: made[key] for key in made if key in ("id", "ok", "error")})

    def _http(self, name: str, value: Any, *, keys: bool = False) -> Any:
        if name == "headers" and isinstance(value, list):
            return [self._header(pair) for pair in value]
        if name == "body" and isinstance(value, str):
            return self._masker.base64(value, keys=keys)
        if name in ("status", "redirected") and isinstance(value, bool | int):
            return value
        return self._masker.value(value)

    def _header(self, pair: Any) -> Any:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
            return self._masker.value(pair)
        name, value = pair
        if (
            name.lower() == "content-type"
        ):  # what separates the parts of a form separates them in its body too
            media, semicolon, parameters = value.partition(";")
            return [name, media + semicolon + self._masker.text(parameters)]
        return [name, value if name.lower() in _PLAIN_HEADERS else self._masker.text(value)]


def _change(fields: dict[str, Any], name: str, change: Any) -> None:
    if isinstance(fields.get(name), str):
        fields[name] = change(fields[name])


def _own(value: Any, masker: Masker) -> Any:
    """Of a request: its method, its time limit and how it takes redirects."""
    return (
        value
        if isinstance(value, int | float) or value in ("follow", "manual", "error")
        else masker.value(value)
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
