"""Languages and time zones: what Node's Intl says, or an error that says what is missing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.javascript import locales, toolchain
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
    "new Date(0).toLocaleString('th')": "The locale 'th'",
    "new Date(0).toLocaleString('de-LU')": "The locale 'de-LU'",
    "new Date(0).toLocaleString('en-u-ca-buddhist')": "The calendar 'buddhist'",
    "new Date(0).toLocaleString('en', { era: 'long', weekday: 'long' })": (
        "The option era of Intl.DateTimeFormat with these other options"
    ),
    "new Date(0).toLocaleString('en', { dayPeriod: 'long' })": "The option dayPeriod of Intl.DateTimeFormat",
    "(1).toLocaleString('en', { notation: 'scientific' })": "The notation 'scientific' of Intl.NumberFormat",
    "new Intl.DateTimeFormat().formatRange(0, 1)": "Intl.DateTimeFormat.prototype.formatRange",
    "new Intl.Segmenter('en')": "Intl.Segmenter",
    "['日', '本'].sort(new Intl.Collator('ja').compare)": "The order of Chinese characters",
    "'i'.toLocaleUpperCase('lt')": "Upper and lower case of Lithuanian",
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


def test_a_tag_that_is_none(run: Run) -> None:
    assert failing(run, "new Date(0).toLocaleString('!')") == "Incorrect locale information provided"


def test_a_language_that_node_does_not_know_is_the_default_one(evaluate: Evaluate) -> None:
    assert evaluate("new Date(0).toLocaleDateString('xx')") == "1/1/1970"
    assert evaluate("Intl.DateTimeFormat.supportedLocalesOf(['xx', 'de-AT', 'th'])") == ["de-AT"]


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
