"""TypeScript declarations: complete, closed over their names, and real TypeScript."""

from __future__ import annotations

import re
import subprocess

import pytest

from sandbox.javascript import toolchain
from triggers import all_triggers, get_trigger
from triggers.events.model.introspection import walk
from triggers.generate.typings import javascript

TRIGGERS = all_triggers()
BUILT_IN = {
    "Error",
    "string",
    "number",
    "boolean",
    "any",
    "null",
    "undefined",
    "unknown",
    "void",
    "Promise",
    "readonly",
    "key",
}


@pytest.fixture(scope="module")
def typings() -> dict[str, str]:
    return {trigger.id: javascript(trigger) for trigger in TRIGGERS}


def bare(text: str) -> str:
    """Without comments."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.id)
def test_every_handler_member_and_property_is_declared(trigger, typings):
    text = bare(typings[trigger.id])
    for handler in trigger.handlers:
        assert f"export type {handler[0].upper()}{handler[1:]} = (event: Event, api: " in text
    for method in trigger.surface.methods:
        assert re.search(rf"^  {method.name}\(", text, re.M), method.path
        assert f"  readonly {method.path.partition('.')[0]}: " in text
    for path, _ in walk(trigger.event_model):
        assert re.search(rf"^  {re.escape(path.rpartition('.')[2])}\??: ", text, re.M), path


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.id)
def test_every_type_that_is_named_is_declared_once(trigger, typings):
    text = re.sub(r'"[^"]*"', '""', bare(typings[trigger.id]))
    declared = re.findall(r"^export (?:interface|type) (\w+)", text, re.M)
    assert len(declared) == len(set(declared))
    used = {name for signature in re.findall(r"[:=|<(] *([A-Za-z]\w*)", text) for name in [signature]}
    names = {name for name in used if name[0].isupper()}
    assert names - set(declared) - BUILT_IN == set()
    assert set(declared) - names <= {"API"} | {f"{name[0].upper()}{name[1:]}" for name in trigger.handlers}


def test_types_say_what_may_be_missing_and_which_values_are_known(typings):
    text = typings["post-login"]
    assert "\n  email?: string;" in text
    assert "\n  user_id: string;" in text
    assert "\n  experiment?: Experiment | null;" in text
    assert '\n  confidence: "low" | "medium" | "high" | "neutral" | (string & {});' in text
    assert "\n  secrets: { [key: string]: string };" in text
    assert "\n  act?: Actor;" in text


def test_signatures_of_members(typings):
    text = typings["post-login"]
    assert "\n  setCustomClaim(key: string, value?: any): PostLoginAPI;" in text
    assert "\n  get(key: string): CacheValue | undefined;" in text
    assert "\n  getUserGroups(params?: { take?: number; from?: string }): Promise<GroupPage>;" in text
    assert "\n  canRedirect(): boolean;" in text
    assert "\n  addScope(scope: string): void;" in text
    assert '\n  setCookieMode(mode: "persistent" | "non-persistent"): void;' in text


def test_gated_members_say_so(typings):
    before, _, _ = typings["post-login"].partition("  addTargetScope(")
    assert "Throws unless the feature `post-login-target-scopes` is on." in before[-400:]


def test_an_open_argument_type_admits_further_keys(typings):
    block = (
        typings["custom-token-exchange"].partition("export interface UserAttributes {")[2].partition("}")[0]
    )
    assert "[key: string]: any;" in block


def test_the_handler_in_the_header_is_the_triggers_own():
    trigger = get_trigger("password-reset-post-challenge")
    header = javascript(trigger).partition("\n\n")[0]
    assert "exports.onExecutePostChallenge = async (event, api)" in header
    assert '@import { Event, PostChallengeAPI } from "./password-reset-post-challenge"' in header


@pytest.fixture(scope="module")
def esbuild() -> str:
    """The bundler of the JavaScript sandbox, which parses TypeScript."""
    (binary,) = toolchain.packages(lambda _: None).glob("@esbuild/*/bin/esbuild")
    return str(binary)


def parsed(esbuild: str, *files: str) -> subprocess.CompletedProcess[str]:
    command = [esbuild, *files, "--log-level=warning"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_esbuild_reads_the_declarations_as_typescript(typings, tmp_path, esbuild):
    for name, text in typings.items():
        (tmp_path / f"{name}.ts").write_text(text)
    out = f"--outdir={tmp_path / 'out'}"
    done = parsed(esbuild, *map(str, sorted(tmp_path.glob("*.ts"))), out)
    assert (done.returncode, done.stderr) == (0, "")


def test_esbuild_would_notice_a_broken_declaration(typings, tmp_path, esbuild):
    broken = tmp_path / "broken.ts"
    broken.write_text(typings["event-stream"].replace("export interface", "export interfac", 1))
    assert parsed(esbuild, str(broken)).returncode == 1
