"""What Actions may import: facades with explicit name lists.

Standard modules hold other modules as attributes (`json.codecs`, `uuid.os`), so no Action gets a real one.
Everything is imported here, before the snapshot: later there are no files.
"""

import abc
import array
import asyncio
import base64
import binascii
import bisect
import calendar
import cmath
import collections
import collections.abc
import colorsys
import contextlib
import contextvars
import copy
import csv
import dataclasses
import datetime as dt
import decimal
import difflib
import email.utils
import enum
import fnmatch
import fractions
import functools
import graphlib
import hashlib
import heapq
import hmac
import html
import io
import ipaddress
import itertools
import json
import keyword
import math
import numbers
import operator
import pprint
import random
import re
import reprlib
import secrets
import statistics
import string
import struct
import textwrap
import time
import types
import typing
import unicodedata
import urllib.parse
import uuid
import zoneinfo

from . import console, errors, guards, loop, web, wire, zones

zones.install()


class Facade(types.ModuleType):
    """A module of an Action: some names of a real module, read-only."""

    def __setattr__(self, name, value):
        raise AttributeError(f"module '{self.__name__}' cannot be changed")

    __delattr__ = __setattr__

    def __getattr__(self, name):
        raise AttributeError(missing_name(self.__name__, name) or name)

    def __repr__(self):
        return f"<module '{self.__name__}'>"


FACADES = {}
"""Every module that an Action may import, by its full name."""

_on_import = {}


def facade(name, source, names, **extra):
    """Declare a module: `names` (space-separated) of `source`, and `extra` members of our own."""
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
    return module


def public(source, without=""):
    """The names that `source` declares public, less some."""
    dropped = set(without.split())
    names = getattr(source, "__all__", None) or [
        name
        for name, value in vars(source).items()
        if name[0] != "_" and not isinstance(value, types.ModuleType)
    ]
    return " ".join(name for name in names if name not in dropped)


def _declare_data():
    facade(
        "json", json, "dumps loads JSONDecodeError JSONEncoder JSONDecoder", load=_no_files, dump=_no_files
    )
    facade("base64", base64, public(base64, "encode decode"))
    facade(
        "binascii",
        binascii,
        "hexlify unhexlify a2b_base64 b2a_base64 a2b_hex b2a_hex crc32 crc_hqx Error Incomplete",
    )
    facade("struct", struct, public(struct))
    facade(
        "csv",
        csv,
        "reader writer DictReader DictWriter Error QUOTE_ALL QUOTE_MINIMAL QUOTE_NONE QUOTE_NONNUMERIC excel",
    )
    facade("io", io, "StringIO BytesIO SEEK_SET SEEK_CUR SEEK_END")
    facade("copy", copy, "copy deepcopy replace Error")
    facade("array", array, "array typecodes")
    facade(
        "pprint",
        pprint,
        "pformat",
        pprint=lambda value, **options: console.tenant_print(pprint.pformat(value, **options)),
    )
    facade("reprlib", reprlib, "repr")


def _no_files(*arguments, **options):
    raise OSError("Actions have no files; use json.loads() and json.dumps()")


def _declare_text():
    facade("re", re, public(re) + " NOFLAG")
    facade(
        "string",
        string,
        "ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits"
        " printable punctuation whitespace Template",
    )
    facade("textwrap", textwrap, public(textwrap))
    facade(
        "unicodedata",
        unicodedata,
        "lookup name decimal digit numeric category bidirectional combining"
        " east_asian_width mirrored decomposition normalize is_normalized unidata_version",
    )
    facade("html", html, "escape unescape")
    facade("difflib", difflib, "SequenceMatcher get_close_matches ndiff unified_diff")
    facade("fnmatch", fnmatch, "fnmatch fnmatchcase filter translate")
    facade("keyword", keyword, "iskeyword issoftkeyword kwlist softkwlist")
    facade("urllib.parse", urllib.parse, public(urllib.parse))
    facade(
        "email.utils",
        email.utils,
        "parseaddr formataddr getaddresses parsedate_to_datetime format_datetime formatdate",
    )
    facade(
        "ipaddress",
        ipaddress,
        "ip_address ip_network ip_interface IPv4Address IPv6Address IPv4Network IPv6Network"
        " IPv4Interface IPv6Interface AddressValueError NetmaskValueError summarize_address_range"
        " collapse_addresses get_mixed_type_key v4_int_to_packed v6_int_to_packed",
    )


def _declare_numbers():
    facade("math", math, " ".join(name for name in dir(math) if name[0] != "_"))
    facade("cmath", cmath, " ".join(name for name in dir(cmath) if name[0] != "_"))
    facade("decimal", decimal, public(decimal))
    facade("fractions", fractions, "Fraction")
    facade("numbers", numbers, public(numbers))
    facade("statistics", statistics, public(statistics))
    facade("random", random, public(random, "seed"), seed=wire.seed)
    facade("secrets", secrets, public(secrets))
    facade(
        "uuid",
        uuid,
        "UUID uuid3 uuid4 uuid5 uuid6 uuid7 uuid8 SafeUUID NAMESPACE_DNS NAMESPACE_URL NAMESPACE_OID"
        " NAMESPACE_X500 NIL MAX RFC_4122",
    )
    facade(
        "hashlib",
        hashlib,
        "md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_384 sha3_512 shake_128"
        " shake_256 blake2b blake2s new algorithms_available algorithms_guaranteed",
        **_pbkdf2(),
    )
    facade("hmac", hmac, "new digest compare_digest HMAC")
    facade("colorsys", colorsys, public(colorsys))


def _pbkdf2():
    found = getattr(hashlib, "pbkdf2_hmac", None)
    return {"pbkdf2_hmac": found} if found else {}


def _declare_time():
    facade("datetime", dt, public(dt))
    facade(
        "time",
        time,
        "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns gmtime localtime mktime"
        " strftime strptime struct_time asctime ctime timezone tzname altzone daylight",
        sleep=_sleep,
    )
    facade(
        "calendar",
        calendar,
        "isleap leapdays weekday monthrange monthcalendar timegm month_name month_abbr day_name"
        " day_abbr Calendar TextCalendar MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY Month Day",
    )
    facade("zoneinfo", zoneinfo, "ZoneInfo ZoneInfoNotFoundError", available_timezones=zones.available)


def _sleep(seconds):
    """Block on the host; the deadline of the execution still counts."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    wire.wait_any((), seconds * 1000)


def _declare_structures():
    facade("collections", collections, public(collections))
    facade("collections.abc", collections.abc, public(collections.abc))
    facade("itertools", itertools, " ".join(name for name in dir(itertools) if name[0] != "_"))
    facade(
        "functools",
        functools,
        public(functools, "singledispatch singledispatchmethod recursive_repr"),
        singledispatch=functools.singledispatch,
    )
    facade(
        "operator",
        operator,
        public(operator, "attrgetter methodcaller"),
        attrgetter=guards.attrgetter,
        methodcaller=guards.methodcaller,
    )
    facade("bisect", bisect, "bisect bisect_left bisect_right insort insort_left insort_right")
    facade("heapq", heapq, public(heapq))
    facade("graphlib", graphlib, "TopologicalSorter CycleError")
    facade(
        "enum",
        enum,
        public(enum, "global_enum global_enum_repr global_flag_repr global_str show_flag_values"),
    )
    facade("dataclasses", dataclasses, public(dataclasses))
    facade("typing", typing, public(typing, "get_type_hints evaluate_forward_ref") + " TYPE_CHECKING")
    facade(
        "types",
        types,
        "SimpleNamespace MappingProxyType NoneType EllipsisType NotImplementedType GenericAlias"
        " UnionType DynamicClassAttribute coroutine",
        **_kinds(),
    )
    facade("abc", abc, "ABC ABCMeta abstractmethod abstractproperty abstractclassmethod abstractstaticmethod")
    facade("contextlib", contextlib, public(contextlib, "redirect_stdout redirect_stderr chdir"))
    facade("contextvars", contextvars, "ContextVar Context Token copy_context")


def _declare_running():
    facade(
        "asyncio",
        asyncio,
        "gather wait_for wait sleep TaskGroup timeout timeout_at create_task ensure_future shield"
        " as_completed current_task all_tasks iscoroutine iscoroutinefunction isfuture Event Lock Semaphore"
        " BoundedSemaphore Condition Barrier Queue PriorityQueue LifoQueue QueueEmpty QueueFull Future Task"
        " CancelledError TimeoutError InvalidStateError ALL_COMPLETED FIRST_COMPLETED FIRST_EXCEPTION",
        run=loop.run,
        get_running_loop=asyncio.get_running_loop,
        get_event_loop=loop.current,
        to_thread=_to_thread,
    )
    facade(
        "logging",
        None,
        "",
        getLogger=console.get_logger,
        basicConfig=console.basic_config,
        Logger=console.Logger,
        **_logging(),
    )
    facade("http", None, "", **_http())
    facade(
        "traceback", None, "", format_exc=_format_exc, print_exc=lambda: console.tenant_print(_format_exc())
    )
    facade("__future__", None, "", annotations=None, generator_stop=None, division=None)
    facade("warnings", None, "", warn=_warn)
    facade(
        "actionbox",
        errors,
        "ApiError ApiTypeError ApiValueError FetchError FetchTimeoutError HTTPStatusError",
        fetch=web.fetch,
        http=FACADES["http"],
        console=console.Console(),
    )


def _kinds():
    functions = "FunctionType LambdaType MethodType BuiltinFunctionType"
    names = f"{functions} GeneratorType CoroutineType AsyncGeneratorType".split()
    return {name: guards.IsInstance(getattr(types, name)) for name in names}


async def _to_thread(function, /, *arguments, **options):
    """There is one thread: the call happens here."""
    return function(*arguments, **options)


def _logging():
    root = console.Logger()
    members = {
        name: getattr(root, name)
        for name in ("debug", "info", "warning", "error", "critical", "exception", "log")
    }
    return members | {
        "DEBUG": 10,
        "INFO": 20,
        "WARNING": 30,
        "WARN": 30,
        "ERROR": 40,
        "CRITICAL": 50,
        "NOTSET": 0,
    }


def _http():
    client = web.Http()
    names = ("request", "get", "post", "put", "patch", "delete", "head")
    return {name: getattr(client, name) for name in names} | {"Response": web.Response}


def _format_exc():
    from . import failures  # it needs the names above

    return failures.text_of_current()


def _warn(message, *arguments, **options):
    console.emit("warn", str(message))


def load(name, globals=None, locals=None, fromlist=(), level=0):  # noqa: A002
    """`__import__` of Actions."""
    problem = missing_module(name) if not level else "Actions have no relative imports"
    if problem:
        raise ImportError(problem, name=name)
    if name in _SEEDED:
        _SEEDED.discard(name)
        wire.reseed()
    module = FACADES[name]
    for member in fromlist or ():
        problem = missing_name(name, member)
        if problem:
            raise ImportError(problem, name=name)
    return module if fromlist else FACADES[name.partition(".")[0]]


_SEEDED = {"random"}
"""Modules that need the generator seeded, until it is."""


def forget():
    """Before the snapshot: nothing has been imported yet."""
    _SEEDED.add("random")


REMEDIES = {
    "os": "secrets are in event.secrets; there are no files or environment",
    "sys": "use print() for output and raise to fail",
    "requests": "use http.get() or await fetch(), which need no import",
    "httpx": "use await fetch() or http.get(), which need no import",
    "aiohttp": "use await fetch(), which needs no import",
    "urllib.request": "use http.get() or await fetch(), which need no import",
    "urllib3": "use http.get() or await fetch(), which need no import",
    "http.client": "use http.get() or await fetch(), which need no import",
    "threading": "use asyncio.gather()",
    "concurrent.futures": "use asyncio.gather()",
    "multiprocessing": "use asyncio.gather()",
    "subprocess": "Actions start no programs",
    "socket": "use http.get() or await fetch()",
    "pickle": "use json",
    "pathlib": "Actions have no files",
    "tempfile": "use io.BytesIO or io.StringIO",
    "inspect": "use type() and dataclasses.fields()",
    "importlib": "use an import statement",
    "builtins": "builtins are available by their names",
    "ctypes": "Actions are pure Python",
    "jwt": "hmac and base64 verify HS256; api methods make redirect tokens",
    "pytz": "use zoneinfo",
    "dateutil": "use datetime.datetime.fromisoformat() and zoneinfo",
}


def missing_module(name):
    """Why `name` cannot be imported, or None when it can."""
    if name in FACADES:
        return None
    remedy = REMEDIES.get(name) or REMEDIES.get(name.partition(".")[0])
    if remedy:
        return f"the module '{name}' is not available to Actions; {remedy}"
    near = difflib.get_close_matches(name, FACADES, 1, 0.6)
    if near:
        return f"the module '{name}' is not available to Actions; did you mean '{near[0]}'?"
    return f"the module '{name}' is not available to Actions; available are {', '.join(importable())}"


def importable():
    """The modules that Actions may import, sorted."""
    return sorted(name for name in FACADES if not name.startswith("_"))


def missing_name(module, name):
    """Why `name` is not in the facade `module`, or None when it is."""
    members = vars(FACADES[module])
    if name in members and not name.startswith("__"):
        return None
    near = difflib.get_close_matches(name, [member for member in members if member[:1] != "_"], 1, 0.6)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"module '{module}' has no '{name}' for Actions{hint}"


for _part in (
    _declare_data,
    _declare_text,
    _declare_numbers,
    _declare_time,
    _declare_structures,
    _declare_running,
):
    _part()
