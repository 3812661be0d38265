"""Packages that cannot work: the build says why, and what to use instead."""

from __future__ import annotations

import pytest

from runner.project.dependencies import make_origin
from sandbox.action_build import BuildState, Module, Wanted, build_action
from sandbox.core.program import Language, Source
from sandbox.packages.npm.unsupported import LIMITED, UNSUPPORTED
from tests.packages.actions import build, run
from tests.packages.page import PAGE, text

SOURCE = Source(Language.JAVASCRIPT, "action.js", "exports.onExecutePostLogin = async () => {};")


@pytest.mark.parametrize(
    ("name", "why", "instead"),
    [
        ("ioredis", "it speaks its store's own protocol over a socket", "Upstash"),
        ("postgres", "it speaks its database's own protocol over a socket", "HTTP interface"),
        ("mongodb", "it speaks its database's own protocol over a socket", "HTTP interface"),
        ("bcrypt", "it is machine code", "crypto.scrypt"),
        ("ldapjs", "it speaks LDAP over a socket", "HTTP service"),
    ],
)
def test_the_build_fails_by_name(name: str, why: str, instead: str) -> None:
    made = build_action(SOURCE, [Wanted(name, "1")], origin=make_origin)
    assert made.state is BuildState.FAILED
    assert made.failure is not None
    assert made.failure.message == f"{name} cannot work in an Action: {why}."
    assert instead in made.failure.next_step
    assert made.failure.detail == {"rule": "unsupported", "package": name}
    assert made.failure.message in made.log[-1].text


def test_in_a_module_too() -> None:
    module = Module("m", "m.js", "", (Wanted("redis"),))
    made = build_action(SOURCE, origin=make_origin, modules=(module,))
    assert made.failure is not None
    assert made.failure.detail["package"] == "redis"


def test_the_page_of_packages_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "run python -m tests.packages.page"


def test_each_reason_is_a_sentence_with_a_remedy() -> None:
    for lack in (*UNSUPPORTED.values(), *LIMITED.values()):
        assert not lack.why.endswith(".")
        assert lack.instead.endswith(".")


def test_mail_over_smtp_fails_and_the_build_said_so() -> None:
    source = """
const nodemailer = require('nodemailer');
exports.onExecutePostLogin = async () => {
  const local = nodemailer.createTransport({ jsonTransport: true });
  const sent = await local.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 's', text: 't' });
  console.log(JSON.parse(sent.message).subject);
  const smtp = nodemailer.createTransport({ host: 'smtp.example', port: 587, auth: { user: 'u', pass: 'p' } });
  await smtp.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 's', text: 't' });
};
"""
    ran = run(source, "nodemailer@10.6.0")
    assert ran.log == ["s"]
    assert (
        "there are no sockets; use fetch, http or https" in ran.failure.message
        or "names are resolved by the host" in (ran.failure.message)
    )
    assert any("nodemailer sends over SMTP" in line.text for line in build(source, "nodemailer@10.6.0").log)
