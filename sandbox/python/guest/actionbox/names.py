"""The builtins of an Action."""

import builtins
from typing import Any

from . import console, errors, guards, library, modules, web

_PLAIN = """
    None False True Ellipsis NotImplemented __build_class__ __debug__
    abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod enumerate
    filter float format frozenset hash hex id int isinstance issubclass iter aiter anext len list map max
    memoryview min next object oct ord pow property range repr reversed round set slice sorted
    staticmethod str sum super tuple zip
"""


def _exceptions() -> dict[str, type]:
    found = vars(builtins).items()
    return {name: kind for name, kind in found if isinstance(kind, type) and issubclass(kind, BaseException)}


def _restricted() -> dict[str, Any]:
    """Builtins that the language promises, with guards where names are computed."""
    names = {name: getattr(builtins, name) for name in _PLAIN.split()}
    guarded = {
        "type": guards.TenantType,
        "getattr": guards.tenant_getattr,
        "hasattr": guards.tenant_hasattr,
        "setattr": guards.tenant_setattr,
        "delattr": guards.tenant_delattr,
        "dir": guards.tenant_dir,
        guards.FORMAT_GUARD: guards.format_method,
        guards.CLASS_GUARD: guards.class_of,
        "__import__": modules.load,
    }
    return names | _exceptions() | guarded | _ours()


def _unrestricted() -> dict[str, Any]:
    """All of Python, for the escape suite: the boundary must hold without the policy."""
    return dict(vars(builtins)) | _ours()


def _ours() -> dict[str, Any]:
    return {
        "print": console.tenant_print,
        "console": console.Console(),
        "fetch": web.fetch,
        "http": modules.FACADES["http"],
        "ApiError": errors.ApiError,
        "FetchError": errors.FetchError,
        "FetchArgumentError": errors.FetchArgumentError,
    }


library.declare()
# Made before the image is taken. An execution changes them only for itself: its instance is used once.
RESTRICTED = _restricted()
UNRESTRICTED = _unrestricted()
