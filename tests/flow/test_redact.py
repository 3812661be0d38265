"""Redaction whatever the secrets and the text are: complete, in linear time, and never longer than before."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import Limits, Runner, Settings
from runner.flow.redact import LEFT_OUT, SHORT_MARK, Redactor, forms
from runner.model.caps import MIN_REDACTED_SECRET
from runner.replay.record import Recorder, with_secrets
from runner.replay.replay import replay
from sandbox.core.caps import KIB, MAX_ERROR_MESSAGE_BYTES, MAX_LOG_LINE_BYTES
from tests.flow.actions import javascript, python

FIBONACCI = "ab"
for _ in range(20):
    FIBONACCI = FIBONACCI.replace("b", "c").replace("a", "ab").replace("c", "a")
LETTERS = "".join(map(chr, range(0x21, 0x7F)))


def covered(text: str, secrets: Sequence[str]) -> list[bool]:
    """Which characters belong to a secret, found in the simple way."""
    found = [False] * len(text)
    for form in {form for secret in secrets for form in forms(secret)}:
        for at in range(len(text) - len(form) + 1):
            if text.startswith(form, at):
                found[at : at + len(form)] = [True] * len(form)
    return found


few = st.text(alphabet="ab", min_size=MIN_REDACTED_SECRET, max_size=14)
odd = st.text(alphabet="a\"\\\n'é\U0001f600\ud800\x01", min_size=MIN_REDACTED_SECRET, max_size=12)
secret_lists = st.lists(few | odd, min_size=1, max_size=4)


@st.composite
def secrets_and_texts(draw: Any) -> tuple[list[str], list[str]]:
    secrets = draw(secret_lists)
    known = [form for secret in secrets for form in forms(secret)]
    piece = st.one_of(
        st.sampled_from(known), st.sampled_from(known).map(lambda form: form[:5]), st.text(alphabet="abxy")
    )
    return secrets, draw(st.lists(st.lists(piece, max_size=8).map("".join), min_size=1, max_size=4))


@given(secrets_and_texts())
def test_exactly_what_belongs_to_a_secret_is_replaced(given_: tuple[list[str], list[str]]) -> None:
    secrets, texts = given_
    redactor = Redactor([{str(number): secret for number, secret in enumerate(secrets)}])
    for text, shown in zip(texts, redactor.value(texts), strict=True):
        runs = itertools.groupby(zip(text, covered(text, secrets), strict=True), key=lambda item: item[1])
        expected = "".join("\0" if hidden else "".join(char for char, _ in run) for hidden, run in runs)
        assert re.sub(r"(\[secret \d\])+", "\0", shown) == expected


@given(secrets_and_texts())
def test_nothing_grows_that_may_not(given_: tuple[list[str], list[str]]) -> None:
    secrets, texts = given_
    redactor = Redactor([{"A_NAME_OF_SOME_LENGTH": secret} for secret in secrets])
    for text, shown in zip(texts, redactor.value(texts, lambda: 0), strict=True):
        assert len(shown.encode("utf-8", "surrogatepass")) <= len(text.encode("utf-8", "surrogatepass"))
        assert not any(secret in shown for secret in secrets)


@given(secrets_and_texts())
def test_marks_of_a_record_are_turned_back_even_where_secrets_overlap(
    given_: tuple[list[str], list[str]],
) -> None:
    from runner.replay.marks import Marker, restored, turned_back

    secrets, texts = given_
    values = {
        f"{index}.a+1[secret 0.b.{number}": form
        for index, secret in enumerate(secrets)
        for number, form in enumerate(forms(secret))
    }
    marker = Marker("0123456789abcdef", [{"a+1[secret 0.b": secret} for secret in secrets])
    hidden = marker.value(texts)
    assert not any(secret in text for secret in secrets for text in hidden)
    back = restored(hidden, lambda text: turned_back(text, " 0123456789abcdef]", values))
    assert back == texts


def test_overlapping_secrets_leave_nothing_of_either() -> None:
    redactor = Redactor([{"A": "abcdefgh-1234"}, {"B": "1234-ijklmnopqrstuvw"}])
    assert redactor.text("x abcdefgh-1234-ijklmnopqrstuvw y") == "x [secret A][secret B] y"


def test_a_secret_that_overlaps_itself_leaves_nothing() -> None:
    assert Redactor([{"A": "abcabcabc"}]).text("-abcabcabcabcabca-") == "-[secret A]a-"


def test_a_lone_surrogate_is_found_in_either_form() -> None:
    redactor = Redactor([{"A": "pass\ud800word"}])
    assert redactor.value(["pass\ud800word", "pass\ufffdword"]) == ["[secret A]", "[secret A]"]


def test_codes_of_failures_are_no_text() -> None:
    from sandbox.core.failure import Failure, FailureCode

    failure = Redactor([{"A": "invalid_command"}]).value(
        Failure(FailureCode.INVALID_COMMAND, "an invalid_command")
    )
    assert failure.code is FailureCode.INVALID_COMMAND
    assert failure.message == "an [secret A]"


@pytest.mark.parametrize(
    ("secrets", "text"),
    [
        (["a" * (4096 - number) for number in range(30)], "a" * 262_144),
        (["a" * 2048 + "b" + "a" * (2047 - number) for number in range(30)], "a" * 262_144),
        (["b" + "a" * (4095 - number) for number in range(30)], "a" * 262_144),
        (["\x01" * (4096 - number) for number in range(30)], "\x01" * 200_000 + "\\u0001" * 10_000),
        ([FIBONACCI[: 8 + number] for number in range(30)], (FIBONACCI * 20)[:262_144]),
        ([FIBONACCI[number : 8 + 9 * number] for number in range(30)], (FIBONACCI * 20)[:262_144]),
        ([LETTERS[: 8 + number] for number in range(30)], (LETTERS[:37] + LETTERS[:9] + " ") * 5_500),
        (['é\U0001f600"\\' * 1000 + "x" * number for number in range(30)], 'é\U0001f600"\\' * 65_000),
    ],
    ids=["same", "middle", "front", "escaped", "nested", "shifted", "prefixes", "wide"],
)
def test_no_secrets_make_it_slow(secrets: list[str], text: str) -> None:
    """Minutes, were it quadratic in the text or a product of text and secrets."""
    redactor = Redactor([{f"S{number}": secret for number, secret in enumerate(secrets)}])
    (shown,) = redactor.value([text], lambda: 0)
    assert len(shown) <= len(text)
    assert not any(secret in shown for secret in secrets)


def test_what_there_was_no_time_for_is_left_out() -> None:
    moments = iter(range(100))
    redactor = Redactor([{"A": "12345678"}], until=5, clock=lambda: next(moments))
    long = "x" * 200_000
    shown = redactor.value([long + "1", long + "2", "short 12345678", long + "3"])
    assert shown[0] == long + "1"
    assert shown[-1] == LEFT_OUT
    assert "12345678" not in "".join(shown)


class TestCaps:
    """Of a leg: what was within a cap before is within it after redaction."""

    NAME = "N" * 128

    @pytest.mark.parametrize("make", [python, javascript])
    def test_a_log_full_of_secrets(self, runner: Runner, event: dict[str, Any], make: Any) -> None:
        if make is python:
            body = f"line = (event.secrets.{self.NAME} + '-' * 82) * 300\nfor i in range(9): print(i, line)"
        else:
            body = (
                f"const line = (event.secrets.{self.NAME} + '-'.repeat(82)).repeat(300);"
                "for (let i = 0; i < 9; i++) console.log(i, line);"
            )
        outcome = runner.run("post-login", event, [make(body, secrets={self.NAME: "aaaaaaaa"})])
        lines = outcome.actions[0].logs
        sizes = [len(line.text.encode()) for line in lines]
        assert sum(sizes) <= 256 * KIB
        assert max(sizes) <= MAX_LOG_LINE_BYTES
        assert all("aaaaaaaa" not in line.text and SHORT_MARK in line.text for line in lines)

    def test_a_log_with_room_shows_names(self, runner: Runner, event: dict[str, Any]) -> None:
        action = python(f"print(event.secrets.{self.NAME})", secrets={self.NAME: "aaaaaaaa"})
        outcome = runner.run("post-login", event, [action])
        assert outcome.actions[0].logs[0].text == f"[secret {self.NAME}]"

    def test_commands_full_of_secrets(self, runner: Runner, event: dict[str, Any]) -> None:
        body = (
            f"for i in range(9): api.id_token.set_custom_claim(f'k{{i}}', event.secrets.{self.NAME} * 1000)"
        )
        limits = Limits(command_bytes=80 * KIB)
        settings = Settings(limits=limits)
        action = python(body, secrets={self.NAME: "abcdefg "})
        outcome = replace(runner, settings=settings).run("post-login", event, [action])
        assert outcome.ok, outcome.failure
        assert sum(len(str(item.arguments)) for item in outcome.actions[0].commands) <= limits.command_bytes

    def test_an_error_full_of_secrets(self, runner: Runner, event: dict[str, Any]) -> None:
        action = python(
            f"raise ValueError((event.secrets.{self.NAME} + ' ') * 2000)", secrets={self.NAME: "aaaaaaaa"}
        )
        failure = runner.run("post-login", event, [action]).failure
        assert failure is not None
        assert len(failure.message.encode()) <= MAX_ERROR_MESSAGE_BYTES + len("… 10000 bytes more".encode())
        assert "aaaaaaaa" not in failure.message

    def test_overlapping_secrets_replay(self, runner: Runner, event: dict[str, Any]) -> None:
        recorder = Recorder()
        secrets = {"A": "abcdefgh-1234", "B": "1234-ijklmnopqrstuvw"}
        action = python("print('abcdefgh-1234-ijklmnopqrstuvw', event.secrets.A)", secrets=secrets)
        outcome = replace(runner, observer=recorder).run("post-login", event, [action])
        record = recorder.record(outcome)
        assert "ijklmnop" not in record.model_dump_json().replace(action.source.text, "").replace(
            "print('abcdefgh-1234-ijklmnopqrstuvw'", ""
        )
        assert "ijklmnop" in with_secrets(record, [secrets]).model_dump_json()
        assert replay(record, lambda _: secrets).same
