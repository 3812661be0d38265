"""The modules of Actions and their names. A name that is not here does not exist for an Action."""

import abc
import array
import asyncio
import base64
import binascii
import bisect
import calendar
import cmath
import codecs
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
import html.entities
import html.parser
import inspect
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
import shlex
import statistics
import string
import struct
import textwrap
import time
import tomllib
import types
import typing
import unicodedata
import urllib.parse
import uuid
import weakref
import zoneinfo
from collections.abc import Callable
from typing import Any

from . import console, derivation, failures, guards, library_ours, loop, patches, preload, wire, zones
from .chosen import NAMES
from .modules import facade


def declare() -> None:
    """Fill `modules.FACADES`."""
    preload.load_codecs()
    zones.install()
    patches.install()
    for part in (_data, _text, _numbers, _time, _structures, _classes, _running):
        part()
    library_ours.declare()


def _data() -> None:
    facade("json", json, "dumps loads JSONDecodeError JSONEncoder JSONDecoder")
    facade("base64", base64, NAMES["base64"])
    facade(
        "binascii", binascii, "hexlify unhexlify a2b_base64 b2a_base64 a2b_hex b2a_hex crc32 Error Incomplete"
    )
    facade("codecs", codecs, _CODECS)
    facade("tomllib", tomllib, "loads TOMLDecodeError")
    facade("struct", struct, NAMES["struct"])
    facade("csv", csv, "reader writer DictReader DictWriter Error QUOTE_ALL QUOTE_MINIMAL QUOTE_NONE excel")
    facade("io", io, "StringIO BytesIO SEEK_SET SEEK_CUR SEEK_END")
    facade("copy", copy, "copy deepcopy replace Error")
    facade("array", array, "array typecodes")
    facade("pprint", pprint, "pformat", pprint=_pprint)
    facade("reprlib", reprlib, "repr")


def _pprint(value: object, **options: Any) -> None:
    console.tenant_print(pprint.pformat(value, **options))


_CODECS = """encode decode BOM BOM_UTF8 BOM_UTF16 BOM_UTF16_LE BOM_UTF16_BE BOM_UTF32 BOM_UTF32_LE
    BOM_UTF32_BE"""
_STRING = """ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits printable
    punctuation whitespace Template"""
_UNICODE = """lookup name decimal digit numeric category bidirectional combining east_asian_width mirrored
    decomposition normalize is_normalized unidata_version"""
_ADDRESSES = """ip_address ip_network ip_interface IPv4Address IPv6Address IPv4Network IPv6Network
    IPv4Interface IPv6Interface AddressValueError NetmaskValueError summarize_address_range
    collapse_addresses"""
_EMAIL = "parseaddr formataddr getaddresses parsedate_to_datetime format_datetime formatdate"


def _text() -> None:
    facade("re", re, NAMES["re"])
    facade("string", string, _STRING)
    facade("textwrap", textwrap, NAMES["textwrap"])
    facade("unicodedata", unicodedata, _UNICODE)
    facade("html", html, "escape unescape")
    facade("html.entities", html.entities, "name2codepoint codepoint2name html5 entitydefs")
    facade("html.parser", html.parser, "HTMLParser")
    facade("shlex", shlex, "split join quote")
    facade("difflib", difflib, "SequenceMatcher get_close_matches ndiff unified_diff")
    facade("fnmatch", fnmatch, "fnmatch fnmatchcase filter translate")
    facade("keyword", keyword, "iskeyword issoftkeyword kwlist softkwlist")
    facade("urllib.parse", urllib.parse, NAMES["urllib.parse"])
    facade("email.utils", email.utils, _EMAIL)
    facade("ipaddress", ipaddress, _ADDRESSES)


_UUID = """UUID uuid3 uuid4 uuid5 uuid6 uuid7 uuid8 SafeUUID NAMESPACE_DNS NAMESPACE_URL NAMESPACE_OID
    NAMESPACE_X500 NIL MAX RFC_4122"""
_HASHES = """md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_384 sha3_512 shake_128 shake_256
    blake2b blake2s new algorithms_available algorithms_guaranteed"""


def _numbers() -> None:
    facade("math", math, NAMES["math"])
    facade("cmath", cmath, NAMES["cmath"])
    facade("decimal", decimal, NAMES["decimal"])
    facade("fractions", fractions, "Fraction")
    facade("numbers", numbers, NAMES["numbers"])
    facade("statistics", statistics, NAMES["statistics"])
    facade("random", random, NAMES["random"], seed=wire.seed)
    facade("secrets", secrets, NAMES["secrets"])
    facade("uuid", uuid, _UUID)
    facade("hashlib", hashlib, _HASHES, **_derivation())
    facade("hmac", hmac, "new digest compare_digest HMAC")
    facade("colorsys", colorsys, NAMES["colorsys"])


def _derivation() -> dict[str, Any]:
    return {"pbkdf2_hmac": derivation.pbkdf2_hmac, "scrypt": derivation.scrypt}


_TIME = """time time_ns monotonic monotonic_ns perf_counter perf_counter_ns gmtime localtime mktime
    strftime strptime struct_time asctime ctime timezone tzname altzone daylight"""
_CALENDAR = """isleap leapdays weekday monthrange monthcalendar timegm month_name month_abbr day_name
    day_abbr Calendar TextCalendar MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY Month Day"""


def _time() -> None:
    facade("datetime", dt, NAMES["datetime"])
    facade("time", time, _TIME, sleep=_sleep)
    facade("calendar", calendar, _CALENDAR)
    zone_names = "ZoneInfo ZoneInfoNotFoundError"
    facade("zoneinfo", zoneinfo, zone_names, available_timezones=zones.available)


def _sleep(seconds: float) -> None:
    """Block on the host; the deadline of the execution still counts."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    wire.wait_any((), seconds * 1000)


def _structures() -> None:
    facade("collections", collections, NAMES["collections"])
    facade("collections.abc", collections.abc, NAMES["collections.abc"])
    facade("itertools", itertools, NAMES["itertools"])
    dispatch = {"singledispatch": guards.singledispatch, "singledispatchmethod": guards.singledispatchmethod}
    wrapping = {"wraps": patches.wraps, "update_wrapper": patches.update_wrapper}
    facade("functools", functools, NAMES["functools"], **dispatch, **wrapping)
    getters = {"attrgetter": guards.attrgetter, "methodcaller": guards.methodcaller}
    facade("operator", operator, NAMES["operator"], **getters)
    facade("bisect", bisect, NAMES["bisect"])
    facade("heapq", heapq, NAMES["heapq"])
    facade("weakref", weakref, "ref WeakKeyDictionary WeakValueDictionary WeakSet")
    facade("graphlib", graphlib, "TopologicalSorter CycleError")


def _classes() -> None:
    facade("enum", enum, NAMES["enum"])
    facade("dataclasses", dataclasses, NAMES["dataclasses"], **_dataclasses())
    facade("typing", typing, NAMES["typing"], get_origin=guards.get_origin)
    plain = "SimpleNamespace MappingProxyType NoneType EllipsisType NotImplementedType GenericAlias UnionType"
    facade("types", types, plain, **_kinds())
    facade("abc", abc, "ABC abstractmethod abstractproperty abstractclassmethod abstractstaticmethod")
    facade("contextlib", contextlib, NAMES["contextlib"])
    facade("inspect", inspect, "isawaitable iscoroutine iscoroutinefunction isfunction isclass cleandoc")
    facade("contextvars", contextvars, "ContextVar Context Token copy_context")


def _dataclasses() -> dict[str, Any]:
    return {
        "make_dataclass": patches.make_dataclass,
        "Field": guards.KindOnly(dataclasses.Field, "dataclasses.field()"),
    }


def _kinds() -> dict[str, guards.KindOnly]:
    functions = "FunctionType LambdaType MethodType BuiltinFunctionType"
    names = f"{functions} GeneratorType CoroutineType AsyncGeneratorType".split()
    return {name: guards.KindOnly(getattr(types, name)) for name in names}


_ASYNCIO = """gather wait_for wait sleep TaskGroup timeout timeout_at create_task ensure_future shield
    as_completed current_task all_tasks iscoroutine iscoroutinefunction isfuture Event Lock Semaphore
    BoundedSemaphore Condition Barrier Queue PriorityQueue LifoQueue QueueEmpty QueueFull QueueShutDown
    Future Task CancelledError TimeoutError InvalidStateError BrokenBarrierError Timeout ALL_COMPLETED
    FIRST_COMPLETED FIRST_EXCEPTION get_running_loop"""


def _running() -> None:
    extra = {"run": loop.run, "get_event_loop": loop.current, "to_thread": _to_thread}
    facade("asyncio", asyncio, _ASYNCIO, **extra)
    facade("logging", None, "", **_logging())
    facade("warnings", None, "", warn=_warn)
    facade("traceback", None, "", format_exc=failures.text_of_current, print_exc=_print_exc)
    facade("__future__", None, "", annotations=None, generator_stop=None, division=None)


async def _to_thread(function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
    """There is one thread: the call happens here."""
    return function(*arguments, **options)


def _logging() -> dict[str, Any]:
    root = console.Logger()
    methods = "debug info warning error critical exception log".split()
    levels = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "WARN": 30, "ERROR": 40, "CRITICAL": 50, "NOTSET": 0}
    members: dict[str, Any] = {name: getattr(root, name) for name in methods} | levels
    members.update(getLogger=console.get_logger, basicConfig=console.basic_config, Logger=console.Logger)
    return members


def _warn(message: object, *_arguments: object, **_options: object) -> None:
    console.emit("warn", str(message))


def _print_exc() -> None:
    console.tenant_print(failures.text_of_current(), end="")
