"""The command line as people call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.cli import main


@dataclass(frozen=True)
class Result:
    """What one call of the command came to."""

    status: int
    out: str
    err: str


Cli = Callable[..., Result]

WELCOME = """
exports.onExecutePostLogin = async (event, api) => {
  console.log("welcome", event.user.email);
  api.idToken.setCustomClaim("greeting", `hello ${event.user.given_name}`);
};
"""
ROLES = """
async def on_execute_post_login(event, api):
    print("roles", event.authorization.roles)
    api.access_token.set_custom_claim("tier", event.client.metadata.tier)
"""
DENY = """
exports.onExecutePostLogin = async (event, api) => {
  api.access.deny("closed on Sundays");
};
"""
THROW = """
function check(user) {
  throw new TypeError("no such plan: " + user.plan);
}
exports.onExecutePostLogin = async (event, api) => {
  console.error("about to fail");
  check(event.user);
};
"""
CONSENT = """
exports.onExecutePostLogin = async (event, api) => {
  api.user.setUserMetadata("asked", true);
  api.redirect.sendUserTo("https://consent.example/ask");
};
exports.onContinuePostLogin = async (event, api) => {
  if (event.request.query.answer !== "yes") return api.access.deny("no consent");
  console.log("key", event.secrets.KEY === undefined ? "absent" : "present");
};
"""
FORM = """
async def on_execute_post_login(event, api):
    api.prompt.render("ap_terms", fields={"name": "Maya"})

async def on_continue_post_login(event, api):
    print("agreed:", event.prompt.fields.agree, event.prompt.vars.plan)
"""
SPIN = "exports.onExecutePostLogin = async () => { while (true) {} };"
BROKEN = "exports.onExecutePostLogin = async (event, api) => {\n  const x = ;\n};\n"
FILES = {
    "welcome.js": WELCOME,
    "roles.py": ROLES,
    "deny.js": DENY,
    "throw.js": THROW,
    "consent.js": CONSENT,
    "form.py": FORM,
    "spin.js": SPIN,
    "broken.js": BROKEN,
    "misspelt.js": WELCOME.replace("onExecutePostLogin", "onExecutePostLogn"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a few Actions; suspended flows wait beside it."""
    monkeypatch.setenv("ACTIONBOX_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("ACTIONBOX_DEBUG", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    for name, text in FILES.items():
        (work / name).write_text(text)
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Calls the command in this process."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        status = ended.value.code
        return Result(status if isinstance(status, int) else 0 if status is None else 1, out, err)

    return call
