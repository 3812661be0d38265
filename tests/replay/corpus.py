"""Everything that the suite has of Actions, recorded; and replayed where nothing of the recording is left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.flow.programs import ProgramCache
from runner.flow.runner import Runner
from runner.model.action import Action
from runner.replay.execution_record import ExecutionRecord, checked_execution_record
from runner.replay.record import FlowRecord, Recorder, make_record, write_record
from runner.testing.cases.load import Case
from runner.testing.cases.run import UNUSABLE, _Play
from sandbox.wasm.artefacts import cache_directory
from tests.case_files import cases_below
from tests.parity.test_cases import CASES as PLAYED
from tests.parity.test_cases import ONLY_HERE, mark_of, played
from tests.parity.ways import OverHttp, Ways
from triggers import get_trigger

TESTS = Path(__file__).parents[1]
FOLDERS = (TESTS.parent / "samples", TESTS / "wild")


def whole(legs: Sequence[FlowRecord]) -> ExecutionRecord:
    """A flow as the service keeps it."""
    return ExecutionRecord(
        execution_id=legs[0].execution_id,
        tenant=legs[0].tenant,
        trigger=legs[0].trigger,
        form="plain",
        kept_because="all",
        created_at=datetime.now(UTC),
        legs=tuple(legs),
    )


def every_case() -> list[Case]:
    """The cases of samples and of Actions as tenants write them."""
    return [case for folder in FOLDERS for case in cases_below(folder)]


def record_of(case: Case, programs: ProgramCache) -> ExecutionRecord | None:
    """The record of a case, all its legs; None when nothing ran. Without secrets, as the service keeps it."""
    play = _Play(case, programs, strict=False)
    play.trigger = get_trigger(case.trigger)
    play.runner = play._runner()
    legs: list[FlowRecord] = []
    for step in case.steps:
        try:
            play._differences(step)
        except UNUSABLE:
            break
        if play.traces and play.outcome is not None:
            legs.append(make_record(play.traces[-1], play.outcome, keep_secrets=False))
    return whole(legs) if legs else None


def is_served(case: Case) -> bool:
    """The service takes its sources, and its limits are the service's own."""
    return case in PLAYED and not any(Path(spec.file).suffix in ONLY_HERE for spec in case.actions)


def stored_record_of(case: Case, ways: Ways) -> ExecutionRecord | None:
    """The record of a case as the service kept it when it ran there; None when nothing ran."""
    flow = OverHttp(ways, get_trigger(case.trigger), mark_of(case), policy="all")
    told = played(case, flow, ways.world)
    ids = [leg for leg in told if isinstance(leg, dict)]
    if not ids:
        return None
    (execution,) = flow.client.get("//runtime/v1/executions")["executions"]
    path = f"//runtime/v1/executions/{execution['id']}/record"
    reply = flow.client.call("GET", path, form="plain", reason="it is to run again")
    assert reply.status == 200, (case.path, case.name, reply.json)
    return checked_execution_record(reply.json, case.name)


def secrets_of(case: Case) -> dict[str, dict[str, Any]]:
    """Secrets of a case by Action, as a secrets file has them."""
    shared: dict[str, Any] = dict(case.secrets)
    for step in case.steps:
        shared |= step.secrets
    found: dict[str, dict[str, Any]] = {}
    for spec in case.actions:
        values = {**shared, **spec.secrets}
        own = {name: value for name, value in values.items() if isinstance(value, str)}
        found |= {name: value for name, value in values.items() if not isinstance(value, str)}
        if own:
            found.setdefault(spec.name or Path(spec.file).stem, {}).update(own)
    return found


def grouped(cases: Sequence[Case]) -> list[tuple[dict[str, dict[str, Any]], list[Case]]]:
    """Cases that can share a secrets file, with it."""
    groups: list[tuple[dict[str, dict[str, Any]], list[Case]]] = []
    for case in cases:
        own = secrets_of(case)
        for known, members in groups:
            if all(known.get(name, values) == values for name, values in own.items()):
                known |= own
                members.append(case)
                break
        else:
            groups.append((own, [case]))
    return groups


def keep(action: Action, event: Mapping[str, Any], runner: Runner, path: Path) -> None:
    """Run an Action for post-login and write its record."""
    recorder = Recorder()
    outcome = replace(runner, observer=recorder).run("post-login", event, [action])
    write_record(path, whole([recorder.record(outcome)]))


def another_cache(folder: Path) -> Path:
    """A cache in which every image is compiled anew. What images are made from is there already: fetching it
    takes a network, and collecting the words of languages half a minute."""
    for kept in ("artefact.key", "javascript-packages-*", "javascript-locales-*", "python-component-*"):
        for path in cache_directory().glob(kept):
            if path.suffix == ".lock":
                continue
            if path.is_dir():
                shutil.copytree(path, folder / path.name, symlinks=True)
            else:
                shutil.copy2(path, folder / path.name)
    return folder


def verified(folder: Path, *options: str, cache: Path | None = None) -> dict[str, Any]:
    """What `actionbox verify` says of a folder, in a process that shares nothing with this one but, unless
    `cache` names another one, the images of the sandboxes."""
    environment = {**os.environ, "PYTHONHASHSEED": "20261201", "ACTIONBOX_STATE": str(folder)}
    if cache is not None:
        environment["ACTIONBOX_CACHE"] = str(cache)
    command = [sys.executable, "-c", "from runner.cli import main; main()", "verify", str(folder), "--json"]
    done = subprocess.run(
        [*command, *options], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
