"""The standard library of Actions at work."""

# ruff: noqa: E501 - tables of one-line programs

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from tests.sandbox.python.actions import Runner


@pytest.mark.parametrize(
    ("imports", "expression", "text"),
    [
        ("json", "json.loads('{\"a\": [1.5, null]}')['a']", "[1.5, None]"),
        ("re", "re.sub(r'(?P<x>\\d+)', lambda m: m['x'] * 2, 'a1b22')", "a11b2222"),
        ("hashlib", "hashlib.sha256(b'x').hexdigest()", hashlib.sha256(b"x").hexdigest()),
        ("hashlib", "hashlib.new('md5', b'x').hexdigest()", hashlib.md5(b"x").hexdigest()),
        ("hashlib", "hashlib.blake2b(b'x', digest_size=8).hexdigest()", hashlib.blake2b(b"x", digest_size=8).hexdigest()),
        ("hmac", "hmac.new(b'k', b'm', 'sha256').hexdigest()", hmac.new(b"k", b"m", "sha256").hexdigest()),
        ("hmac", "hmac.compare_digest('a', 'a')", "True"),
        ("hashlib", "hashlib.pbkdf2_hmac('sha256', b'p', b's', 100, 50).hex()", hashlib.pbkdf2_hmac("sha256", b"p", b"s", 100, 50).hex()),
        ("hashlib", "hashlib.pbkdf2_hmac('sha1', b'p', b's', 3).hex()", hashlib.pbkdf2_hmac("sha1", b"p", b"s", 3).hex()),
        ("hashlib", "hashlib.pbkdf2_hmac('sha512', b'p', b's', 600_000)[:4].hex()", hashlib.pbkdf2_hmac("sha512", b"p", b"s", 600_000)[:4].hex()),
        ("hashlib", "hashlib.pbkdf2_hmac('sha3_256', b'p', b's', 3).hex()", hashlib.pbkdf2_hmac("sha3_256", b"p", b"s", 3).hex()),
        ("hashlib", "hashlib.scrypt(b'p', salt=b's', n=1024, r=8, p=1, dklen=20).hex()", hashlib.scrypt(b"p", salt=b"s", n=1024, r=8, p=1, dklen=20).hex()),
        ("hmac", "hmac.digest(b'k', b'm', 'sha3_512').hex()", hmac.digest(b"k", b"m", "sha3_512").hex()),
        ("secrets", "len(secrets.token_urlsafe(16)), secrets.compare_digest(b'a', b'b')", "22 False"),
        ("base64", "base64.urlsafe_b64encode(b'\\xff\\xfe').decode()", base64.urlsafe_b64encode(b"\xff\xfe").decode()),
        ("uuid", "uuid.uuid5(uuid.NAMESPACE_DNS, 'example.com')", "cfbff0d1-9375-5685-968c-48ce8b15ae17"),
        ("decimal", "decimal.Decimal('0.1') + decimal.Decimal('0.2')", "0.3"),
        ("fractions", "fractions.Fraction(1, 3) * 3", "1"),
        ("statistics", "statistics.median([3, 1, 2])", "2"),
        ("collections", "collections.Counter('aab').most_common(1)", "[('a', 2)]"),
        ("itertools", "list(itertools.pairwise('abc'))", "[('a', 'b'), ('b', 'c')]"),
        ("functools", "functools.reduce(lambda a, b: a * b, range(1, 5))", "24"),
        ("operator", "operator.itemgetter(1)('ab')", "b"),
        ("urllib.parse", "urllib.parse.urlsplit('https://a.b/c?d=e').query", "d=e"),
        ("textwrap", "textwrap.shorten('a b c d', 5, placeholder='~')", "a b~"),
        ("unicodedata", "unicodedata.normalize('NFC', 'e\\u0301')", "é"),
        ("ipaddress", "ipaddress.ip_address('10.0.0.1') in ipaddress.ip_network('10.0.0.0/8')", "True"),
        ("html", "html.escape('<a>')", "&lt;a&gt;"),
        ("struct", "struct.unpack('>H', b'\\x01\\x02')[0]", "258"),
        ("calendar", "calendar.day_name[calendar.weekday(2026, 1, 5)]", "Monday"),
        ("string", "string.Template('$a').substitute(a=1)", "1"),
        ("io, csv", "next(csv.reader(io.StringIO('a;b'), delimiter=';'))", "['a', 'b']"),
        ("heapq", "heapq.nsmallest(2, [3, 1, 2])", "[1, 2]"),
        ("bisect", "bisect.bisect([1, 3], 2)", "1"),
        ("copy", "copy.deepcopy([[1]])", "[[1]]"),
        ("pprint", "pprint.pformat({'a': 1})", "{'a': 1}"),
        ("email.utils", "email.utils.parseaddr('A <a@b.c>')", "('A', 'a@b.c')"),
        ("math", "math.isclose(math.sin(math.pi), 0, abs_tol=1e-9)", "True"),
        ("types", "types.SimpleNamespace(a=1)", "namespace(a=1)"),
        ("tomllib", "tomllib.loads('a = [1, 2.5]')", "{'a': [1, 2.5]}"),
        ("codecs", "codecs.encode('abc', 'rot13')", "nop"),
        ("shlex", "shlex.split('a \"b c\"')", "['a', 'b c']"),
        ("sys", "sys.version_info >= (3, 14), sys.platform, sys.maxsize > 0", "True actionbox True"),
        ("weakref", "len(weakref.WeakValueDictionary())", "0"),
        ("inspect", "inspect.iscoroutinefunction(print), inspect.cleandoc(' a\\n b')", "False a\nb"),
        ("http", "http.HTTPStatus.NOT_FOUND.value, http.HTTPMethod.GET", "404 GET"),
        ("contextlib", "contextlib.nullcontext(1).enter_result", "1"),
    ],
)  # fmt: skip
def test_modules(runner: Runner, imports: str, expression: str, text: str) -> None:
    assert runner.printed(f"import {imports}\nprint({expression})") == [text]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("pbkdf2_hmac('sha256', b'', b'', 0)", "iteration value must be greater than 0."),
        ("pbkdf2_hmac('sha256', b'', b'', 1, 0)", "key length must be greater than 0."),
        ("pbkdf2_hmac('sha256', b'', b'', 10**9)", "PBKDF2 does at most"),
        ("pbkdf2_hmac('md99', b'', b'', 1)", "Digest method not supported"),
        ("scrypt(b'', salt=b'', n=3, r=8, p=1)", "Invalid scrypt params"),
        ("scrypt(b'', salt=b'', n=2**20, r=8, p=1)", "Invalid scrypt params: memory limit exceeded"),
    ],
)
def test_key_derivation_says_what_it_cannot(runner: Runner, call: str, says: str) -> None:
    lines = f"import hashlib\ntry:\n    hashlib.{call}\nexcept ValueError as error:\n    print(error)"
    assert runner.printed(lines)[0].startswith(says)


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_dataclasses_know_the_modules_that_annotations_name(runner: Runner, future: str) -> None:
    source = (
        future
        + """
import dataclasses
import dataclasses as d
import typing
import typing as t
from typing import ClassVar

@dataclasses.dataclass
class Point:
    x: int
    kept: typing.ClassVar[int] = 3
    also: t.ClassVar = 4
    plain: ClassVar[int] = 5
    scale: d.InitVar[int] = 1
    _: d.KW_ONLY = None
    y: list[int] = d.field(default_factory=list)

def on_execute_post_login(event, api):
    print(Point(1, 2, y=[1]), Point.kept, [f.name for f in dataclasses.fields(Point)])
"""
    )
    result = runner.run(source)
    assert result.failure is None, result.failure
    assert [line.text for line in result.logs] == ["Point(x=1, y=[1]) 3 ['x', 'y']"]


def test_output_streams_are_the_log(runner: Runner) -> None:
    result = runner.body("import sys\nprint('careful', file=sys.stderr)\nsys.stdout.write('plain\\n')")
    assert [(line.level, line.text) for line in result.logs] == [("warn", "careful"), ("log", "plain")]


def test_time_zones(runner: Runner) -> None:
    lines = """
        from datetime import datetime, UTC
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones
        summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
        print(summer.astimezone(ZoneInfo("Europe/Berlin")).isoformat(), ZoneInfo("America/New_York").utcoffset(summer))
        print("Asia/Tokyo" in available_timezones(), len(available_timezones()) > 400)
        for name in ("Mars/Base", "../etc/passwd", "/etc/passwd"):
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError) as error:
                print(type(error).__name__)
    """
    expected = [
        "2026-07-01T14:00:00+02:00 -1 day, 20:00:00",
        "True True",
        "ZoneInfoNotFoundError",
        "ValueError",
        "ValueError",
    ]
    assert runner.printed(lines) == expected


def test_dates_are_utc_without_a_zone(runner: Runner) -> None:
    lines = """
        from datetime import datetime
        print(datetime.fromtimestamp(0), datetime.fromisoformat("2026-01-02T03:04:05Z").tzinfo)
        print(datetime.strptime("2026-01-02", "%Y-%m-%d").strftime("%A %d %B"), datetime(2026, 1, 2).astimezone().isoformat())
    """
    assert runner.printed(lines) == ["1970-01-01 00:00:00 UTC", "Friday 02 January 2026-01-02T00:00:00+00:00"]


def test_builtins(runner: Runner) -> None:
    lines = """
        print(sorted({3, 1}), tuple([1]), list(zip("ab", range(2))), dict(a=1), set("a"), sum([1, 2]), min(1, 2), max([3, 4]))
        print(any([0, 1]), all([]), list(map(str, [1])), list(filter(None, [0, 1])), list(enumerate("a")), list(reversed([1, 2])))
        print(bytes([65]), bytearray(b"x"), frozenset([1]), divmod(7, 2), pow(2, 10, 1000), round(2.567, 1), abs(-1), hex(255), ord("a"), chr(98))
        print(isinstance(1, int), callable(print), next(iter([1])), repr("x"), format(3.14159, ".2f"), slice(1, 2), complex(1, 2), ascii("é"))
    """
    assert runner.printed(lines) == [
        "[1, 3] (1,) [('a', 0), ('b', 1)] {'a': 1} {'a'} 3 1 4",
        "True True ['1'] [1] [(0, 'a')] [2, 1]",
        "b'A' bytearray(b'x') frozenset({1}) (3, 1) 24 2.6 1 0xff 97 b",
        "True True 1 'x' 3.14 slice(1, 2, None) (1+2j) '\\xe9'",
    ]


def test_signing_a_token(runner: Runner) -> None:
    """HS256 by hand, from hmac and base64."""
    lines = """
        import base64, hashlib, hmac, json
        def part(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")
        text = part(json.dumps({"alg": "HS256"}).encode()) + b"." + part(json.dumps({"sub": "x"}).encode())
        print((text + b"." + part(hmac.digest(b"secret", text, "sha256"))).decode())
    """
    token = runner.printed(lines)[0]
    text, _, signature = token.rpartition(".")
    expected = base64.urlsafe_b64encode(hmac.digest(b"secret", text.encode(), "sha256")).rstrip(b"=")
    assert signature == expected.decode()


@pytest.mark.parametrize(
    "codec", ["latin-1", "utf-16", "cp1252", "idna", "utf-8-sig", "ascii", "iso-8859-15", "utf-7"]
)
def test_text_encodings(runner: Runner, codec: str) -> None:
    assert runner.printed(f"print('abc'.encode({codec!r}).decode({codec!r}))") == ["abc"]
