"""JSON.parse fails in the words of V8, which scripts log."""

from __future__ import annotations

import json
import random

import pytest

from tests.sandbox.javascript.conftest import Run
from tests.sandbox.javascript.test_intl import node_says, script

BROKEN = """\
<!DOCTYPE html><html><body>Bad gateway</body></html>|Internal Server Error|undefined|NaN|[object Object]|{a:1}
{'a':1}|[1,]|{"a":1,}|nul|nope|01|-|1.|1e|1e+|"abc|"\\x"|"\\u12"|{"a" 1}|{"a":1 "b":2}|[1 2]|{} x|{|[|{"a"
f1:se|12.5.|1.12.5
[1, 2, 3, 4, 5, 6, 7, 8, 9, ten]|{"a": [1, ,2], "b": 3}|{"name": "x",, "list": [1, 2, 3]}|"a\tb"
""".replace("\n", "|").split("|")
SOUND = (
    '{"a": [1, -2.5e3, true], "b": {"c": null, "d": "x\\n\\u00e9"}}',
    '{\n "name": "x",\n "list": [1,2,3],\n "long": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"\n}',
)


def damaged(seed: int) -> str:
    """A sound text with a character taken out, put in or changed."""
    chance = random.Random(seed)
    letters = list(chance.choice(SOUND))
    at = chance.randrange(len(letters))
    letters[at : at + chance.randrange(2)] = [chance.choice('{}[],:"ax1-.e <\\')] * chance.randrange(2)
    return "".join(letters)


def attempt(text: str) -> str:
    return f"JSON.parse({json.dumps(text)})"


def test_as_in_node(succeed: Run) -> None:
    cases = [attempt(text) for text in (*BROKEN, *map(damaged, range(120)))]
    cases += [
        "JSON.parse(undefined)",
        "JSON.parse({})",
        "JSON.parse('[1]', () => { throw new SyntaxError('mine') })",
    ]
    cases += ["JSON.parse('{\"a\": 1}', (key, value) => (key === 'a' ? value + 1 : value))", "JSON.parse(5)"]
    body = f"{script(cases)}\napi.user.deep.er(answers);"
    ran = succeed(f"exports.onExecutePostLogin = async (event, api) => {{ {body} }};")
    answers = ran.api.calls[-1][1][0]
    assert [pair for pair in zip(cases, node_says(cases), answers, strict=True) if pair[1] != pair[2]] == []
    assert sum("SyntaxError" in answer for answer in answers) > 80


@pytest.mark.parametrize("reader", ["new Response('<html>').json()", "JSON.parse('<html>')"])
def test_a_page_where_json_was_due(run: Run, reader: str) -> None:
    failure = run(f"exports.onExecutePostLogin = async () => {{ await {reader}; }};").failure
    assert failure.message == "Unexpected token '<', \"<html>\" is not valid JSON"
    assert failure.error_name == "SyntaxError"
