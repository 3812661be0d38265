"""The builtins of an Action."""

import builtins

from . import console, guards, modules, web
from .errors import ApiError, FetchError

_PLAIN = """
    None False True Ellipsis NotImplemented __build_class__ __debug__
    abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod enumerate
    filter float format frozenset hash hex id int isinstance issubclass iter aiter anext len list map max
    memoryview min next object oct ord pow property range repr reversed round set slice sorted
    staticmethod str sum super tuple zip
"""


def _exceptions():
    found = {}
    for name, value in vars(builtins).items():
        if isinstance(value, type) and issubclass(value, BaseException):
            found[name] = value
    return found


def _restricted():
    """Builtins of an Action: what the language promises, with guards where names are computed."""
    names = {name: getattr(builtins, name) for name in _PLAIN.split()}
    names.update(_exceptions())
    names.update(
        {
            "type": guards.TenantType,
            "getattr": guards.tenant_getattr,
            "hasattr": guards.tenant_hasattr,
            "setattr": guards.tenant_setattr,
            "delattr": guards.tenant_delattr,
            "dir": guards.tenant_dir,
            guards.FORMAT_GUARD: guards.format_method,
            "__import__": modules.load,
        }
    )
    return names | _host_names()


def _unrestricted():
    """All of Python, for the escape suite: the boundary must hold without the policy."""
    return dict(vars(builtins)) | _host_names()


def _host_names():
    return {
        "print": console.tenant_print,
        "console": console.Console(),
        "fetch": web.fetch,
        "http": modules.FACADES["http"],
        "ApiError": ApiError,
        "FetchError": FetchError,
    }


# Made before the snapshot. An execution changes them only for itself: its instance is used once.
RESTRICTED = _restricted()
UNRESTRICTED = _unrestricted()
