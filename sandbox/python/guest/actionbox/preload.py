"""Modules that the standard library imports only when it needs them, when there are no files any more."""

import _strptime
import copyreg
import encodings.aliases
import importlib
import inspect
import linecache
import locale
import weakref

import _pylong
import annotationlib

CODECS = """ascii latin_1 utf_8 utf_8_sig utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be utf_7 idna
    punycode unicode_escape raw_unicode_escape charmap hex_codec base64_codec quopri_codec rot_13 zlib_codec
    cp437 cp850 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 iso8859_1 iso8859_2 iso8859_3
    iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10 iso8859_13 iso8859_14 iso8859_15
    iso8859_16 koi8_r koi8_u mac_roman"""
"""Text encodings that Actions meet in answers and headers."""

LOADED = (_pylong, _strptime, annotationlib, copyreg, encodings.aliases, inspect, linecache, locale, weakref)


def load_codecs() -> None:
    """Import what of `CODECS` the image has (it has no zlib, for one)."""
    for name in CODECS.split():
        try:
            importlib.import_module(f"encodings.{name}")
        except ImportError:
            continue
