"""Every Action of the suite replays bit by bit in a fresh process, with another hash seed and, in a drill,
with images that are built anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sandbox
from runner import Action, Runner
from runner.flow.programs import ProgramCache
from runner.replay.record import write_record
from sandbox.action_build import Module, Wanted, prepare
from sandbox.core.program import Language, Source
from sandbox.packages.npm.folder import FolderOrigin
from tests.drills.rounds import rounds
from tests.parity.ways import Ways
from tests.replay.corpus import (
    another_cache,
    every_case,
    grouped,
    is_served,
    keep,
    record_of,
    stored_record_of,
    verified,
)
from tests.sandbox.packages.npm.tarballs import Shelf
from tests.sandbox.packages.wheels.made import put
from triggers import get_trigger

EVERY = rounds(40, 1)
"""One case in so many."""
JAVASCRIPT = """
const { shout } = require("loud");
const greeter = require("actions:greeter");
exports.onExecutePostLogin = async (event, api) => {
  console.log(shout(event.user.name), greeter.greet("you"), greeter.key, Math.random(), Date.now());
  api.idToken.setCustomClaim("loud", shout("yes"));
};
"""
GREETER = """
const { shout } = require("loud");
module.exports = { greet: (name) => `hello ${shout(name)} ${Math.random()}`, key: actions.secrets.KEY };
"""
PYTHON = """
import random, time
from maths import add
from maths.names import NAMES

async def on_execute_post_login(event, api):
    print(add(1, 2), sorted(NAMES), list(set(NAMES)), random.random(), time.time())
    api.id_token.set_custom_claim("sum", add(3, 4))
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Where images are built anew, in a drill."""
    return another_cache(tmp_path_factory.mktemp("cache")) if rounds(False, True) else None


def check(folder: Path, count: int, *options: str, cache: Path | None) -> None:
    found = verified(folder, *options, cache=cache)
    wrong = [item for item in found["files"] if item["result"] != "same"]
    assert not wrong, wrong[:5]
    assert found["same"] == count


def test_every_case_replays_in_a_fresh_process(tmp_path: Path, ways: Ways, cache: Path | None) -> None:
    """From the record that the service stored; where it takes no such source, from the command line's."""
    cases = every_case()[::EVERY]
    programs = ProgramCache()
    legs = 0
    for number, (secrets, members) in enumerate(grouped(cases)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for index, case in enumerate(members):
            served = is_served(case)
            record = stored_record_of(case, ways) if served else record_of(case, programs)
            if record is not None:
                write_record(folder / f"{index}.json", record)
                legs += len(record.legs)
        (tmp_path / "secrets.json").write_text(json.dumps(secrets))
        if count := len(list(folder.iterdir())):
            check(folder, count, "--secrets", str(tmp_path / "secrets.json"), cache=cache)
    assert legs >= len(cases)


def test_modules_npm_packages_and_wheels_do_so_too(tmp_path: Path, cache: Path | None) -> None:
    shelf = Shelf(tmp_path / "npm")
    shelf.add("loud", code="exports.shout = (text) => text.toUpperCase() + '!';")
    names = "NAMES = {'a', 'b', 'c', 'delta', 'epsilon', 'zeta'}\n"
    put(
        tmp_path / "wheels",
        "maths",
        files={"maths/__init__.py": "def add(a, b):\n    return a + b\n", "maths/names.py": names},
    )
    origin = FolderOrigin(shelf.folder)
    module = Module("greeter", "greeter.js", GREETER, (Wanted("loud", "1.0.0"),))
    javascript = prepare(
        Source(Language.JAVASCRIPT, "packed.js", JAVASCRIPT),
        [Wanted("loud", "1.0.0")],
        origin=lambda: origin,
        modules=[module],
    ).source
    python = prepare(
        Source(Language.PYTHON, "packed.py", PYTHON),
        [Wanted("maths", "1.0")],
        origin=lambda: origin,
        wheels=tmp_path / "wheels",
    ).source
    folder, event = tmp_path / "records", get_trigger("post-login").example_event
    folder.mkdir()
    secrets = {"greeter": {"KEY": "a-secret-of-the-module"}}
    runner = Runner()
    keep(Action("packed", javascript, module_secrets=secrets), event, runner, folder / "javascript.json")
    keep(Action("packed", python), event, runner, folder / "python.json")
    kept = [json.loads(path.read_text())["legs"][0] for path in sorted(folder.iterdir())]
    assert [leg["outcome"]["decision"] for leg in kept] == ["allow", "allow"], kept[0]["outcome"]["failure"]
    assert kept[0]["outcome"]["effects"]["id_token_claims"] == {"loud": "YES!"}
    assert "a-secret-of-the-module" not in (folder / "javascript.json").read_text()
    (tmp_path / "secrets.json").write_text(json.dumps({"actions:greeter": secrets["greeter"]}))
    check(folder, 2, "--secrets", str(tmp_path / "secrets.json"), cache=cache)


def test_an_engine_says_what_it_is() -> None:
    for language in Language:
        identity = sandbox.open_engine(language).identity
        assert len(identity.guest) == len(identity.wasm) == 64
        assert identity.wasmtime
        assert "stack" in identity.flags
