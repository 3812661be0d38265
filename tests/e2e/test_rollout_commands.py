"""Rollouts from the command line, as a tenant types them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import blocks
from tests.e2e.serving import Served, serve
from tests.e2e.test_service_tenant import actionbox
from triggers import get_trigger

MANIFEST = "actions:\n  gate: { file: gate.js, trigger: post-login }\nbindings:\n  post-login: [gate]\n"
GATE = "exports.onExecutePostLogin = async () => { console.log(1); };\n"
PLAN = """
stages:
  - canary: { percent: 60, events: 2 }
  - promote: true
cohorts: { staff: 100 }
guards: { failed: {}, denied: { max_ratio: 2 } }
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("data")) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"actionbox.yaml": MANIFEST, "gate.js": GATE, "plan.yaml": PLAN}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def logins(served: Served, count: int) -> None:
    example = get_trigger("post-login").example_event
    for number in range(count):
        event = {**example, "user": {**example["user"], "user_id": f"user {number}"}}
        served.runtime().invoke("post-login", event)


def test_a_push_rolls_out_what_is_deployed_already(served: Served, folder: Path) -> None:
    push = ("push", str(folder), "--yes", "--rollout", str(folder / "plan.yaml"))
    assert "create action gate and deploy it" in actionbox(served, *push), (
        "there is nothing to compare it with"
    )
    assert "no rollouts" in actionbox(served, "rollout", "list", "gate")
    assert "gate has no rollout" in actionbox(served, "rollout", "watch", "gate", status=2)

    (folder / "gate.js").write_text(GATE.replace("1", "2"))
    text = actionbox(served, *push)
    assert "update action gate and roll it out" in text
    assert "`actionbox rollout watch gate` shows it" in text
    assert "is being rolled out" in actionbox(served, "rollout", "start", "gate", status=2)

    assert "paused" in actionbox(served, "rollout", "pause", "gate")
    assert "paused: by " in actionbox(served, "rollout", "watch", "gate", status=3)
    assert "canary 60 %: running 0 of 2 events" in actionbox(served, "rollout", "resume", "gate")
    logins(served, 30)
    text = actionbox(served, "rollout", "watch", "gate")
    assert "version 1 → 2  promoted" in text
    assert "gate v2" in actionbox(served, "executions", "-n", "1")

    text = actionbox(
        served, "rollout", "start", "gate", "--version", "1", "--plan", str(folder / "plan.yaml")
    )
    assert "version 2 → 3  running" in text
    (found,) = json.loads(actionbox(served, "rollout", "list", "gate", "--json"))[:1]
    assert found["state"] == "running"
    logins(served, 1)
    assert "gate v" in actionbox(served, "logs")
    assert "aborted" in actionbox(served, "rollout", "abort", "gate", "--id", found["id"])
    assert "aborted" in actionbox(served, "rollout", "watch", "gate", status=1)
    assert "cannot be promoted" in actionbox(served, "rollout", "promote", "gate", status=2)


def test_the_page_shows_a_plan_and_commands_that_work(served: Served, folder: Path) -> None:
    (commands,), (plan,) = (blocks("safe-change/rollouts.md", kind) for kind in ("console", "yaml"))
    (folder / "rollout.yaml").write_text(plan)
    actionbox(served, "push", str(folder), "--yes")
    start, watch = (shlex.split(line.removeprefix("$ actionbox ")) for line in commands.splitlines())
    start[start.index("rollout.yaml")] = str(folder / "rollout.yaml")
    (folder / "gate.js").write_text(GATE.replace("1", "3"))
    text = actionbox(served, "push", str(folder), "--yes", "--rollout", str(folder / "rollout.yaml"))
    assert "shows it" in text
    actionbox(served, "rollout", "abort", "gate")
    assert "running" in actionbox(served, *start)
    actionbox(served, "rollout", "pause", "gate")
    assert "paused" in actionbox(served, *watch, status=3)
    actionbox(served, "rollout", "abort", "gate")


def test_a_plan_is_checked_before_anything_is_sent(served: Served, folder: Path) -> None:
    plan = folder / "plan.yaml"
    plan.write_text("stages:\n  - canary: { percent: 5, events: 10 }\n")
    text = actionbox(served, "push", str(folder), "--yes", "--rollout", str(plan), status=2)
    assert "the rollout would never end' at $.stages" in text
    plan.write_text("stages: [\n")
    assert "is not YAML" in actionbox(served, "rollout", "start", "gate", "--plan", str(plan), status=2)
