"""Languages and time zones: what Node's Intl says, or an error that says what is missing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.javascript import locales, toolchain
from tests.drawn import examples
from tests.sandbox.javascript.conftest import Run

CASES: list[str] = json.loads(Path(__file__).with_name("intl_cases.json").read_text())
"""Expressions drawn at random over all languages; Node is asked for the answers when the test runs, because
the words in the guest are those of the same Node (sandbox/javascript/locales.py)."""
_SCRIPT = """
const answers = [];
for (const make of [%s]) {
  try { answers.push(JSON.stringify(make())); } catch (error) { answers.push(String(error)); }
}
"""

Evaluate = Callable[..., Any]


def script(cases: list[str]) -> str:
    return _SCRIPT % ",\n".join(f"() => {case}" for case in cases)


def node_says(cases: list[str]) -> list[str]:
    done = subprocess.run(
        [str(toolchain.node()), "-"],
        input=(script(cases) + "console.log(JSON.stringify(answers))").encode(),
        env={"TZ": "UTC"},
        capture_output=True,
        check=True,
    )
    answers: list[str] = json.loads(done.stdout)
    return answers


def test_as_in_node(succeed: Run) -> None:
    body = f"{script(CASES)}\napi.user.deep.er(answers);"
    ran = succeed(f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};")
    answers = ran.api.calls[-1][1][0]
    different = [
        (case, node, ours)
        for case, node, ours in zip(CASES, node_says(CASES), answers, strict=True)
        if node != ours
    ]
    assert len(answers) > 300
    assert different == []


def test_the_office_hours_of_another_zone(evaluate: Evaluate) -> None:
    options = "{ timeZone: 'America/New_York', weekday: 'long', hour: 'numeric', hour12: false }"
    when = "new Date(Date.UTC(2024, 6, 5, 13, 30))"
    assert evaluate(f"{when}.toLocaleString('en-US', {options})") == "Friday, 09"
    assert (
        evaluate(f"{when}.toLocaleString('en-US', {options.replace('New_York', 'Los_Angeles')})")
        == "Friday, 06"
    )


def test_an_offset_that_changed_is_the_one_of_its_time(evaluate: Evaluate) -> None:
    hour = "new Date({}).toLocaleTimeString('en-GB', {{ timeZone: 'Europe/Berlin' }})"
    assert evaluate(hour.format("'2024-03-31T00:59:59Z'")) == "01:59:59"
    assert evaluate(hour.format("'2024-03-31T01:00:00Z'")) == "03:00:00"
    assert evaluate(hour.format("-8.5e15")) == "09:46:48"  # local mean time, before there were zones
    assert evaluate(hour.format("8.5e15")) == "17:06:40"


MISSING: dict[str, str] = {
    "new Date(0).toLocaleString('en', { calendar: 'buddhist' })": "The calendar 'buddhist'",
    "new Date(0).toLocaleString('en', { era: 'long', weekday: 'long' })": (
        "The option era of Intl.DateTimeFormat with these other options"
    ),
    "new Date(0).toLocaleString('en', { dayPeriod: 'long' })": "The option dayPeriod of Intl.DateTimeFormat",
    "(1).toLocaleString('en', { notation: 'scientific' })": "The notation 'scientific' of Intl.NumberFormat",
    "new Intl.DateTimeFormat().formatRange(0, 1)": "Intl.DateTimeFormat.prototype.formatRange",
    "new Intl.Segmenter('en')": "Intl.Segmenter",
}


def failing(run: Run, expression: str) -> str:
    return run(f"exports.onExecutePostLogin = async () => {{ {expression}; }};").failure.message


@pytest.mark.parametrize("expression", MISSING)
def test_what_is_missing_says_so(run: Run, expression: str) -> None:
    assert failing(run, expression).startswith(f"{MISSING[expression]} is not available in an Action")


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc", "localtime", "", "\\u0000", "+24:00"])
def test_zones_that_do_not_exist(run: Run, zone: str) -> None:
    message = failing(run, f"new Date(0).toLocaleString('en', {{ timeZone: '{zone}' }})")
    assert message.startswith("Invalid time zone specified: ")


SPEAKING: dict[str, Any] = {
    "new Date(0).toLocaleString({})": "1/1/1970, 12:00:00 AM",
    "new Date(0).toLocaleDateString({})": "1/1/1970",
    "new Date(0).toLocaleTimeString({})": "12:00:00 AM",
    "(1234.5).toLocaleString({})": "1,234.5",
    "12345n.toLocaleString({})": "12,345",
    "'a'.localeCompare('b', {})": -1,
    "'i'.toLocaleUpperCase({})": "I",
    "'I'.toLocaleLowerCase({})": "i",
    "new Intl.Collator({}).compare('b', 'a')": 1,
    "new Intl.DateTimeFormat({}).format(0)": "1/1/1970",
    "new Intl.NumberFormat({}, {{ style: 'currency', currency: 'EUR' }}).format(1)": "€1.00",
    "new Intl.PluralRules({}).select(1)": "one",
    "new Intl.RelativeTimeFormat({}).format(-1, 'day')": "1 day ago",
    "new Intl.ListFormat({}).format(['a', 'b'])": "a and b",
    "new Intl.DisplayNames({}, {{ type: 'region' }}).of('DE')": "Germany",
}
"""Whatever speaks a language, and what it says in the default one."""
LACKING = ["he", "ar", "th", "bg", "hr", "he-IL", "sr-Latn-RS", "fa-IR-u-ca-persian", "tlh", "xx-YY"]


@pytest.mark.parametrize("tag", LACKING)
def test_a_language_without_data_is_the_default_one(succeed: Run, tag: str) -> None:
    body = "\n".join(f"answers.push({make.format(repr(tag))});" for make in SPEAKING)
    ran = succeed(
        "exports.onExecutePostLogin = async (event, api) => "
        f"{{ const answers = []; {body} api.user.deep.er(answers); }};"
    )
    assert ran.api.calls[-1][1][0] == list(SPEAKING.values())
    base = tag.partition("-u-")[0]
    line = f"Intl: there is no data for the locale '{base}' in an Action; 'en-US' is used instead."
    assert [line for line in ran.log if "the locale" in line] == [line]


@given(
    st.from_regex(
        r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-[a-z]{5,8})?(-u-(ca|nu|co|kn|hc)-[a-z]{3,8})?",
        fullmatch=True,
    )
)
@examples(40)
def test_no_well_formed_tag_throws(succeed: Run, tag: str) -> None:
    body = "".join(f"{make.format(repr(tag))};" for make in SPEAKING)
    ran = succeed(f"exports.onExecutePostLogin = async () => {{ {body} }};")
    assert len(ran.log) == len(set(ran.log))


def test_each_lack_is_told_once(succeed: Run) -> None:
    body = """
      for (const tag of ['he', 'ar', 'he', 'de-LU', 'de', 'en-ZZ', 'de-DE']) (1.5).toLocaleString(tag);
      new Date(0).toLocaleString(['ar', 'fr']);
      console.log(Intl.NumberFormat('de-LU').resolvedOptions().locale, (1.5).toLocaleString(['th', 'de']));
      console.log(new Date(0).toLocaleDateString('th-TH-u-ca-buddhist-nu-thai'), 'i'.toLocaleUpperCase('lt'));
      console.log(['本', '日'].sort(new Intl.Collator('ja').compare).join(''));
      console.log(new Intl.DisplayNames('en', { type: 'language' }).of('fr-LU'));
    """
    ran = succeed(f"exports.onExecutePostLogin = async () => {{ {body} }};")
    assert [line.partition(" in an Action; ")[::2] for line in ran.log] == [
        ("Intl: there is no data for the locale 'he'", "'en-US' is used instead."),
        ("Intl: there is no data for the locale 'ar'", "'en-US' is used instead."),
        ("Intl: there is no data for the locale 'de-LU'", "'de' is used instead."),
        ("Intl: there is no data for the locale 'ar'", "'fr' is used instead."),
        ("Intl: there is no data for the locale 'th'", "'de' is used instead."),
        ("de 1,5", ""),
        ("Intl: there is no data for the locale 'th-TH'", "'en-US' is used instead."),
        (
            "Intl: there is no data for upper and lower case of Lithuanian",
            "the general rules are used.",
        ),
        ("1/1/1970 I", ""),
        ("Intl: there is no data for the order of Chinese characters", "their code points are compared."),
        ("日本", ""),
        ("Intl: there is no data for the name of the language 'fr-LU'", "its code is used instead."),
        ("fr-LU", ""),
    ]


ILL_FORMED = [
    "!", "", "x", "i-klingon", "de-", "-de", "de_DE", "x-private", "de-1996-1996", "en-a-bb-a-cc", "abcd",
    "zh-min-nan", "abcdefghi", "en-USA", "en-u", "en-t", "1", "en-12", "en--US", "de-419-DE", "en-u-kn-u-kn",
]  # fmt: skip


def test_tags_that_are_none(succeed: Run) -> None:
    """Each of them throws in Node."""
    body = "\n".join(
        f"try {{ {make.format(repr(tag))}; api.user.deep.er('taken'); }} "
        "catch (error) { api.user.deep.er(error.name); }"
        for tag in ILL_FORMED
        for make in SPEAKING
        if tag or "Case" not in make
    )
    ran = succeed(f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};")
    assert {call[1][0] for call in ran.api.calls} == {"RangeError"}
    assert ran.log == []


def test_what_is_supported_is_told_truly(evaluate: Evaluate) -> None:
    asked = "['xx', 'de-AT', 'th', 'he-IL', 'de-LU', 'en-ZZ', 'pt-BR', 'no', 'zh-Hant-MO', 'sr-Latn']"
    assert evaluate(f"Intl.DateTimeFormat.supportedLocalesOf({asked})") == [
        "de-AT", "de-LU", "en-ZZ", "pt-BR", "no", "zh-Hant-MO",
    ]  # fmt: skip


def test_formats_of_other_classes_are_refused(run: Run) -> None:
    text = (
        "exports.onExecutePostLogin = async () => { Intl.DateTimeFormat.prototype.resolvedOptions.call({}) };"
    )
    assert "incompatible receiver" in run(text).failure.message


def test_keys_that_no_data_has() -> None:
    assert locales.locale_text("dates", "xx") is None
    assert locales.locale_text("offset", "Europe/Berlin") is None
    assert locales.locale_text("offset", "Europe/Berlin soon") is None
    assert locales.locale_text("offset", "/etc/passwd 0") is None
    assert locales.locale_text("offset", "Europe/Berlin 1720000000000") == "7200"
