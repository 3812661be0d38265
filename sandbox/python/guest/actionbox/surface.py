"""`api`, built from the trigger's surface (docs/decisions/0002); no trigger is known here."""

import difflib
import json

from . import loop, wire
from .encoder import clean, encode
from .errors import api_error
from .records import camel_case, parse, replace, snake_case


class Api:
    """One namespace of the api. Members are made when first asked for."""

    __slots__ = ("_members", "_path", "_session")

    def __init__(self, session, members, path=""):
        object.__setattr__(self, "_session", session)
        object.__setattr__(self, "_members", members)
        object.__setattr__(self, "_path", path)

    def __getattr__(self, name):
        key = name if name in self._members else camel_case(name)
        member = self._members.get(key)
        if member is None or name[:1] == "_":
            raise AttributeError(_unknown(self._path, name, self._members))
        path = f"{self._path}.{key}" if self._path else key
        return (
            Api(self._session, member, path) if type(member) is dict else Method(self._session, path, member)
        )

    def __setattr__(self, name, value):
        raise AttributeError(f"api.{self._path or name} cannot be replaced")

    def __dir__(self):
        return [snake_case(name) for name in self._members]

    def __repr__(self):
        return f"<api.{_snake_path(self._path)}>" if self._path else "<api>"


class Method:
    """One callable member of the api."""

    __slots__ = ("_options", "_parameters", "_path", "_returns", "_session")

    def __init__(self, session, path, member):
        self._session = session
        self._path = path
        self._returns = member[0]
        self._parameters = member[1] if len(member) > 1 else []
        self._options = member[2] if len(member) > 2 else None

    def __call__(self, *arguments, **options):
        ready = arguments if not options and self._options is None else self._arranged(arguments, options)
        return self._session.call(self._path, self._returns, encode(ready))

    def _arranged(self, arguments, options):
        """Positional and keyword arguments as the host's list: parameters, then one options object."""
        places = list(arguments)
        count = len(self._parameters)
        if self._options is not None and len(places) > count and isinstance(places[count], dict):
            places[count] = self._renamed(places[count])
        extra = {}
        for name, value in options.items():
            self._place(places, extra, name, value)
        if extra:
            self._merge(places, extra)
        return places

    def _place(self, places, extra, name, value):
        key = self._key(name, self._parameters)
        if key is None:
            extra[self._option(name)] = value
            return
        index = self._parameters.index(key)
        if index < len(places):
            raise TypeError(f"{self._label()}() got multiple values for argument '{name}'")
        places.extend([None] * (index - len(places)))
        places.append(value)

    def _merge(self, places, extra):
        """Add keyword options that were given (None means left out) to the options object."""
        count = len(self._parameters)
        places.extend([None] * (count - len(places)))
        given = {key: value for key, value in extra.items() if value is not None}
        if len(places) == count:
            places.append(given)
        elif isinstance(places[count], dict):
            places[count] = {**places[count], **given}
        else:
            raise TypeError(f"{self._label()}() takes its options as keywords or as one dict, not both")

    def _option(self, name):
        key = self._key(name, self._options or ())
        if key is not None:
            return key
        if self._options is not None and not self._options:
            return camel_case(name)
        known = [snake_case(key) for key in (*self._parameters, *(self._options or ()))]
        raise TypeError(f"{self._label()}() got an unexpected keyword argument '{name}'{_hint(name, known)}")

    def _renamed(self, options):
        return {self._key(key, self._options) or key: value for key, value in dict.items(options)}

    @staticmethod
    def _key(name, keys):
        """The member of `keys` that `name` spells, as it stands or in snake_case."""
        if name in keys:
            return name
        key = camel_case(name) if isinstance(name, str) else name
        if key in keys:
            return key
        return next((key for key in keys if snake_case(key) == name), None)

    def _label(self):
        return f"api.{_snake_path(self._path)}"

    def __repr__(self):
        return f"<{self._label()}>"


class Session:
    """The api calls of one execution: sends them, raises their errors, applies changes of the event."""

    __slots__ = ("event", "root")

    def __init__(self, event, surface):
        self.event = event
        self.root = Api(self, json.loads(surface))

    def call(self, path, returns, arguments):
        text = wire.call("api." + path, arguments)
        reply = parse(text) if text else {}
        for where, value in reply.get("event") or ():
            replace(self.event, where, value)
        error = reply.get("error")
        if returns == "promise":
            return _settled(reply, error)
        if error is not None:
            raise api_error(error)
        if returns == "api":
            return self.root
        return reply.get("ok") if returns == "value" else None


def _settled(reply, error):
    """An awaitable of an answer that is already there."""
    future = loop.current().create_future()
    if error is None:
        future.set_result(reply.get("ok"))
    else:
        future.set_exception(api_error(error))
    return future


def _unknown(path, name, members):
    where = f"api.{_snake_path(path)}" if path else "api"
    known = [snake_case(member) for member in members]
    return f"{where} has no member '{clean(name)}'{_hint(name, known)}"


def _hint(name, known):
    near = difflib.get_close_matches(str(name), known, 1, 0.5)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; it has {', '.join(known)}" if known else ""


def _snake_path(path):
    return ".".join(snake_case(part) for part in path.split("."))
