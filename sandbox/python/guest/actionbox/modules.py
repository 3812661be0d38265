"""Modules that Actions may import: facades with explicit name lists, declared in `library.py`.

Standard modules hold other modules as attributes (`json.codecs`, `uuid.os`), so no Action gets a real one.
Everything is loaded before the image is taken: later there are no files.
"""

import dataclasses
import difflib
import sys
import types
from typing import Any

from . import wire


class Facade(types.ModuleType):
    """A module of an Action: some names of a real module, read-only."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"the module '{self.__name__}' cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"the module '{self.__name__}' cannot be changed")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(missing_name(self.__name__, name) or name)

    def __repr__(self) -> str:
        return f"<module '{self.__name__}'>"


_is_type = dataclasses._is_type  # type: ignore[attr-defined]


def _is_type_of(annotation: str, cls: type, real: Any, kind: Any, predicate: Any) -> bool:
    """Answers dataclasses about an annotation that is text (`typing.ClassVar[int]`): an Action that names the
    module means its facade, which dataclasses cannot know."""
    name, _, member = annotation.partition("[")[0].rpartition(".")
    held = vars(sys.modules.get(cls.__module__, dataclasses)).get(name.strip())
    if type(held) is Facade and held.__name__ == real.__name__:
        return bool(predicate(vars(held).get(member.strip()), real))
    return bool(_is_type(annotation, cls, real, kind, predicate))


dataclasses._is_type = _is_type_of  # type: ignore[attr-defined]

FACADES: dict[str, Facade] = {}
"""Every module that an Action may import, by its full name."""


def facade(name: str, source: Any, names: str, **extra: Any) -> None:
    """Declare a module: `names` (separated by spaces) of `source`, and `extra` members of our own."""
    module = Facade(name)
    members = vars(module)
    for member in names.split():
        members[member] = getattr(source, member)
    members.update(extra)
    FACADES[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        if parent not in FACADES:
            facade(parent, None, "")
        vars(FACADES[parent])[child] = module


def load(
    name: str, _globals: object = None, _locals: object = None, fromlist: Any = (), level: int = 0
) -> types.ModuleType:
    """`__import__` of Actions."""
    problem = "An Action is a single module: nothing is relative to it." if level else missing_module(name)
    if problem and name in INTERNAL and type(fromlist) is list:
        return _NOTHING  # C code, which no statement can pretend to be, takes the module from elsewhere
    if problem:
        raise ImportError(problem, name=name)
    if name in _unseeded:
        _unseeded.discard(name)
        wire.reseed()
    module = FACADES[name]
    for member in fromlist or ():
        problem = missing_name(name, member)
        if problem:
            raise ImportError(problem, name=name)
    return module if fromlist else FACADES[name.partition(".")[0]]


_NOTHING = types.ModuleType("nothing")
_unseeded = {"random"}
"""Modules whose generator is seeded when they are first imported, since seeding costs time."""


def forget() -> None:
    """Before the image is taken: nothing has been imported yet."""
    _unseeded.add("random")


INTERNAL = frozenset(("_strptime", "_pylong", "annotationlib", "copyreg", "encodings", "locale"))
"""Modules that C code imports when an Action calls it, in the Action's name. No source may name them."""

REMEDIES = {
    "os": "secrets are in event.secrets; there are no files and no environment",
    "io": "use io.StringIO or io.BytesIO",
    "requests": "use http.get() or await fetch(), which need no import",
    "httpx": "use await fetch() or http.get(), which need no import",
    "aiohttp": "use await fetch(), which needs no import",
    "urllib3": "use http.get() or await fetch(), which need no import",
    "urllib.request": "use http.get() or await fetch(), which need no import",
    "http.client": "use http.get() or await fetch(), which need no import",
    "socket": "use http.get() or await fetch(), which need no import",
    "threading": "use asyncio.gather()",
    "multiprocessing": "use asyncio.gather()",
    "concurrent": "use asyncio.gather()",
    "subprocess": "Actions start no programs",
    "pickle": "use json",
    "pathlib": "Actions have no files",
    "shutil": "Actions have no files",
    "tempfile": "use io.BytesIO or io.StringIO",
    "importlib": "use an import statement",
    "builtins": "builtins are available by their names",
    "ctypes": "Actions are pure Python",
    "jose": "use jwt, which is spelled as PyJWT spells it",
    "authlib": "use jwt for tokens, and http or fetch for requests",
    "joserfc": "use jwt, which is spelled as PyJWT spells it",
    "jwcrypto": "use jwt, which is spelled as PyJWT spells it",
    "pytz": "use zoneinfo",
    "dateutil": "use datetime.datetime.fromisoformat() and zoneinfo",
    "pydantic": "use dataclasses",
    "auth0": "use await fetch() with a token from event.secrets",
}
"""What to do instead, for modules that tenants ask for."""


def missing_module(name: str) -> str | None:
    """The reason why `name` cannot be imported, or None when it can."""
    if name in FACADES:
        return None
    refused = f"The module '{name}' is not available to Actions"
    instead = remedy(name)
    if instead:
        return f"{refused}; {instead}."
    near = difflib.get_close_matches(name, FACADES, 1, 0.6)
    if near:
        return f"{refused}; did you mean '{near[0]}'?"
    return (
        f"{refused}; docs/python.md lists those that are. A pure-Python package is declared under "
        "`dependencies` in pyproject.toml beside the Action, or in the service."
    )


def remedy(name: str) -> str | None:
    """The replacement for a module that tenants ask for."""
    return REMEDIES.get(name) or REMEDIES.get(name.partition(".")[0])


def missing_name(module: str, name: str) -> str | None:
    """The reason why `name` is not in the facade `module`, or None when it is."""
    members = vars(FACADES[module])
    if name in members and not name.startswith("__"):
        return None
    near = difflib.get_close_matches(name, [member for member in members if member[:1] != "_"], 1, 0.6)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return f"The module '{module}' has no '{name}' for Actions{hint}"
