"""Packages that compute: used as their own documentation uses them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.packages.actions import value_of

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def check(packages: str | tuple[str, ...], body: str, expected: Any) -> None:
    items = (packages,) if isinstance(packages, str) else packages
    assert value_of(body, *items) == expected


@pytest.mark.parametrize("package", ["uuid@14.0.3", "uuid@9.0.1", "uuid@8.3.2", "uuid@3.4.0"])
def test_uuid(package: str) -> None:
    first, second = (
        value_of(
            "const { v1, v4 } = require('uuid'); return [v1(), v4(), v4()];",
            package,
        )
        for _ in range(2)
    )
    assert all(UUID4.fullmatch(item) for item in (*first[1:], *second[1:]))
    assert len({*first, *second}) == 6


def test_uuid_of_names_and_checks() -> None:
    check(
        "uuid@14.0.3",
        """
const { v5, v3, v7, validate, version, parse, stringify, NIL } = require('uuid');
const name = v5('hello.example.com', v5.DNS);
return [name, v3('hello.example.com', v3.DNS), validate(name), version(v7()),
  stringify(parse(name)) === name, validate('no'), NIL];
""",
        [
            "fdda765f-fc57-5604-a269-52a7df8164ec", "9125a8dc-52ee-365b-a5aa-81b0b3681cf6", True, 7,
            True, False, "00000000-0000-0000-0000-000000000000",
        ],
    )  # fmt: skip


def test_lodash() -> None:
    check(
        "lodash@4.18.1",
        """
const _ = require('lodash'); const merge = require('lodash/merge');
return [_.defaults({ a: 1 }, { a: 3, b: 2 }), _.partition([1, 2, 3, 4], (n) => n % 2),
 _.get({ a: [{ b: { c: 3 } }] }, 'a[0].b.c'), _.chunk(['a', 'b', 'c'], 2), _.camelCase('Foo Bar'),
 merge({ a: [{ b: 2 }] }, { a: [{ c: 3 }] }), _.groupBy([6.1, 4.2, 6.3], Math.floor),
 _.template('hello <%= user %>!')({ user: 'fred' }), _(['x', 'y']).map(_.toUpper).value()];
""",
        [
            {"a": 1, "b": 2}, [[1, 3], [2, 4]], 3, [["a", "b"], ["c"]], "fooBar",
            {"a": [{"b": 2, "c": 3}]}, {"4": [4.2], "6": [6.1, 6.3]}, "hello fred!", ["X", "Y"],
        ],
    )  # fmt: skip


def test_lodash_debounce_runs_on_the_timers() -> None:
    body = """
const _ = require('lodash'); let calls = 0; const later = _.debounce(() => { calls += 1; }, 20);
later(); later(); await new Promise((done) => setTimeout(done, 60)); return calls;
"""
    check("lodash@4.18.1", body, 1)


def test_lodash_merge_alone() -> None:
    body = "const merge = require('lodash.merge'); return merge({ a: { b: 1 } }, { a: { c: 2 } });"
    check("lodash.merge@4.6.2", body, {"a": {"b": 1, "c": 2}})


@pytest.mark.parametrize("package", ["nanoid@6.0.2", "nanoid@5.1.16", "nanoid@3.3.20"])
def test_nanoid(package: str) -> None:
    body = """
const { nanoid, customAlphabet } = require('nanoid');
return [nanoid(), nanoid(10), customAlphabet('1234567890abcdef', 10)()];
"""
    first, second = (value_of(body, package) for _ in range(2))
    assert [len(item) for item in first] == [21, 10, 10]
    assert re.fullmatch(r"[0-9a-f]{10}", first[2])
    assert not set(first) & set(second)


def test_nanoid_is_imported_where_it_is_an_es_module_only() -> None:
    body = "const { nanoid } = await import('nanoid'); return nanoid().length;"
    check("nanoid@5.1.16", body, 21)


def test_ipaddr() -> None:
    check(
        "ipaddr.js@1.9.0",
        """
const ipaddr = require('ipaddr.js@1.9.0');
const address = ipaddr.parse('2001:db8:1234::1');
return [address.match(ipaddr.parse('2001:db8::'), 32), address.kind(), ipaddr.isValid('300.0.0.1'),
 ipaddr.process('::ffff:192.168.1.1').toString(), ipaddr.parse('10.1.2.3').range(),
 ipaddr.parse('192.168.1.7').match(ipaddr.parseCIDR('192.168.0.0/16')),
  address.toNormalizedString(),
 ipaddr.subnetMatch(ipaddr.parse('2001:db8:1234::1'),
  { documentationOnly: [ipaddr.parse('2001:db8::'), 32] }, 'unknown')];
""",
        [True, "ipv6", False, "192.168.1.1", "private", True, "2001:db8:1234:0:0:0:0:1", "documentationOnly"],
    )


@pytest.mark.parametrize("package", ["ipaddr.js@2.5.0", "ipaddr.js@1.9.1"])
def test_ipaddr_imported(package: str) -> None:
    body = "const ip = require('ipaddr.js'); return ip.parseCIDR('10.0.0.0/8')[1];"
    check(package, body, 8)


def test_ip() -> None:
    check(
        "ip@2.0.1",
        """
const ip = require('ip'); return [ip.isPrivate('10.0.0.1'),
  ip.cidrSubnet('192.168.1.134/26').networkAddress,
 ip.isEqual('::1', '::0:1'), ip.toLong('127.0.0.1'), ip.cidr('192.168.1.134/26'),
  ip.toBuffer('10.0.0.1').length];
""",
        [True, "192.168.1.128", True, 2130706433, "192.168.1.128", 4],
    )


@pytest.mark.parametrize("package", ["awesome-phonenumber@7.8.0", "awesome-phonenumber@5.11.0"])
def test_phone_numbers(package: str) -> None:
    check(
        package,
        """
const { parsePhoneNumber, getExample } = require('awesome-phonenumber');
const pn = parsePhoneNumber('0707123456', { regionCode: 'SE' });
return [pn.valid, pn.number.e164, pn.number.international, pn.type, pn.countryCode,
 parsePhoneNumber('+1 212').valid, getExample('GB', 'mobile').valid];
""",
        [True, "+46707123456", "+46 70 712 34 56", "mobile", 46, False, True],
    )


def test_phone_numbers_of_old_versions() -> None:
    check(
        "awesome-phonenumber@2.73.0",
        """
const PhoneNumber = require('awesome-phonenumber'); const pn = new PhoneNumber('0707123456', 'SE');
return [pn.isValid(), pn.isMobile(), pn.getNumber(), pn.getNumber('national'), pn.getRegionCode()];
""",
        [True, True, "+46707123456", "070-712 34 56", "SE"],
    )


@pytest.mark.parametrize("package", ["date-fns@4.4.0", "date-fns@2.30.0"])
def test_date_fns(package: str) -> None:
    check(
        package,
        """
const { format, addDays, compareAsc, formatDistance, parseISO, isBefore,
  differenceInDays } = require('date-fns');
const dates = [new Date(1995, 6, 2), new Date(1987, 1, 11)].sort(compareAsc);
return [format(new Date(2014, 1, 11), 'MM/dd/yyyy'), format(dates[0], "'Today is a' eeee"),
 format(addDays(new Date(2024, 1, 28), 2), 'yyyy-MM-dd'), isBefore(parseISO('2020-01-01'),
  new Date(2021, 0)),
 formatDistance(new Date(2020, 0, 1), new Date(2020, 0, 4), { addSuffix: true }),
  differenceInDays(new Date(2020, 1, 1), new Date(2020, 0, 1))];
""",
        ["02/11/2014", "Today is a Wednesday", "2024-03-01", True, "3 days ago", 31],
    )


@pytest.mark.large
def test_date_fns_by_subpath_with_a_locale() -> None:
    body = """
const { format } = require('date-fns/format'); const { de } = require('date-fns/locale/de');
return format(new Date(2014, 1, 11), 'EEEE, d. MMMM', { locale: de });
"""
    check("date-fns@4.4.0", body, "Dienstag, 11. Februar")


@pytest.mark.parametrize("package", ["zod@4.6.7", "zod@3.25.76"])
def test_zod(package: str) -> None:
    check(
        package,
        """
const { z } = require('zod');
const Player = z.object({ username: z.string(), xp: z.number(),
  mail: z.string().email().optional() });
const wrong = Player.safeParse({ username: 42, xp: '100' });
let thrown; try { z.string().min(5).parse('tuna'); } catch (e) { thrown = e instanceof z.ZodError; }
return [Player.parse({ username: 'billie', xp: 100 }), wrong.success,
  wrong.error.issues.map((i) => i.path[0]),
 thrown, z.coerce.number().parse('7'), z.enum(['a', 'b']).safeParse('c').success,
 await z.string().transform(async (s) => s.length).parseAsync('four'),
 z.discriminatedUnion('type', [z.object({ type: z.literal('x'),
  n: z.number() })]).parse({ type: 'x', n: 1 })];
""",
        [
            {"username": "billie", "xp": 100},
            False,
            ["username", "xp"],
            True,
            7,
            False,
            4,
            {"type": "x", "n": 1},
        ],
    )


def test_validator() -> None:
    check(
        "validator@13.15.35",
        """
const validator = require('validator'); const isURL = require('validator/lib/isURL');
return [validator.isEmail('foo@bar.com'), validator.isEmail('no'), isURL('https://a.example/x'),
 validator.escape('<b>'), validator.isMobilePhone('+46707123456', 'sv-SE'),
  validator.isStrongPassword('abc'),
 validator.normalizeEmail('Some.Name@googlemail.com'),
  validator.isUUID('9125a8dc-52ee-365b-a5aa-81b0b3681cf6')];
""",
        [True, False, True, "&lt;b&gt;", True, False, "somename@gmail.com", True],
    )


@pytest.mark.parametrize("package", ["js-yaml@5.5.0", "js-yaml@4.1.0"])
def test_js_yaml(package: str) -> None:
    check(
        package,
        """
const yaml = require('js-yaml'); const doc = yaml.load('a: [1, two]\\nb:\\n  c: true\\n');
let said; try { yaml.load('a: [') } catch (e) { said = e.name; }
return [doc, yaml.dump({ x: [1, 'y'] }), said];
""",
        [{"a": [1, "two"], "b": {"c": True}}, "x:\n  - 1\n  - 'y'\n", "YAMLException"],
    )


def test_async() -> None:
    check(
        "async@3.2.6",
        """
const async = require('async');
const mapped = await async.mapLimit([1, 2, 3], 2, async (n) => n * 2);
const all = await async.parallel({ one: (done) => setTimeout(done, 5, null, 1),
  two: async () => 2 });
const fell = await new Promise((ok, no) => async.waterfall([(cb) => cb(null, 'a'), (x,
  cb) => cb(null, x + 'b')], (e, r) => e ? no(e) : ok(r)));
const queue = async.queue((n, done) => { done(null, n); }, 1); queue.push([1, 2]);
  await queue.drain();
return [mapped, all, fell];
""",
        [[2, 4, 6], {"one": 1, "two": 2}, "ab"],
    )


def test_debug_writes_to_the_log_when_enabled() -> None:
    check(
        "debug@4.4.3",
        """
const debug = require('debug'); const log = debug('worker:a'); log('hidden');
  debug.enable('worker:*');
log('count %d', 3); return [debug.enabled('worker:a'), debug.enabled('http')];
""",
        [True, False],
    )


def test_totp() -> None:
    body = """
const { TOTP } = require('totp-generator'); const made = await TOTP.generate('JBSWY3DPEHPK3PXP',
  { timestamp: 1465324707000 }); return made.otp;
"""
    check("totp-generator@2.0.1", body, "341128")


def test_totp_of_old_versions() -> None:
    body = """
const totp = require('totp-generator'); return totp('JBSWY3DPEHPK3PXP',
  { timestamp: 1465324707000 });
"""
    check("totp-generator@0.0.14", body, "341128")
