"""Warm-up of a worker: what it must have in memory before it may open no file any more."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import pkgutil
import zoneinfo
from collections.abc import Iterable
from types import ModuleType
from typing import Final

import sandbox
import triggers
from runner.flow.leg_trace import LegTrace
from runner.flow.runner import Runner
from runner.model.action import Action
from runner.records.policy import Wish
from runner.replay.record import FlowRecord, make_record
from runner.shadow.leg import LEG_SHADOW, shadow_leg
from runner.shadow.run import recorded_actions
from runner.workers.child.recording import recorded
from sandbox.core.caps import MIB
from sandbox.core.program import Language, Source
from sandbox.egress.none import NoEgress
from sandbox.javascript import image
from sandbox.python.engine import PythonEngine
from triggers import get_trigger

_log: Final = logging.getLogger(__name__)
_SKIPPED: Final = (
    "tools.conformance",
    "sandbox.packages.npm",
    "sandbox.packages.wheels",
    "sandbox.egress.",
    "sandbox.python.guest",
    "sandbox.javascript.guest",
    "triggers.generate.typings",
)
"""The parent's part, or not for this interpreter. A port imports itself what it needs of `sandbox.egress`."""
_LATE: Final = (
    "_strptime",
    "concurrent.futures.thread",
    "email.generator",
    "email.policy",
    "gc",
    "pprint",
    "statistics",
    "unicodedata",
)
"""Modules that the standard library imports when they are first needed."""
_LATE_BY_VERSION: Final = ("_suggestions",)
"""The same where there are such: Python 3.13 has the spelling hints of tracebacks in one."""
_WHOLE: Final = ("cryptography", "encodings", "idna", "pydantic")
"""Packages that import parts of themselves when they are first needed: codecs by the name that a guest gives,
kinds of keys (from native code), the tables of host names, what validation rarely meets."""
_NOT_HERE: Final = (
    "encodings.mbcs",
    "encodings.oem",
    "idna.cli",
    "pydantic.mypy",
    "pydantic.v1",
    "pydantic._internal._git",
)
"""For another system or a developer's tools."""

_WARM: Final = {
    Language.JAVASCRIPT: """
const crypto = require("crypto");
exports.onExecutePostLogin = async (event, api) => {
  console.log(crypto.createHash("sha256").update("x").digest("hex"), new Date().toISOString());
  api.cache.set("a", "b"); api.cache.get("a");
  try { await fetch("https://example.com/"); } catch (error) { console.log(error.message); }
  throw new Error("this is how failures are made");
};
""",
    Language.PYTHON: """
import hashlib, json
async def on_execute_post_login(event, api):
    print(hashlib.sha256(b"x").hexdigest(), json.dumps({"a": 1}))
    api.cache.set("a", "b")
    try:
        await fetch("https://example.com/")
    except Exception as error:
        print(error)
    raise ValueError("this is how failures are made")
""",
}


_WISH: Final = Wish(MIB, always="all")
_kept: list[object] = []


def images(languages: Iterable[Language]) -> None:
    """Open the engines of `languages`, and read the rules of every time zone."""
    for language in languages:
        sandbox.open_engine(language)
    _kept.extend(zoneinfo.ZoneInfo(name) for name in zoneinfo.available_timezones())


def ingredients() -> None:
    """Gather what images are made of."""
    image.ingredients(lambda _: None)


def imports() -> None:
    """Import all that may be imported later."""
    for package in (sandbox, triggers, *map(importlib.import_module, _WHOLE)):
        _import_below(package)
    for name in _LATE:
        importlib.import_module(name)
    for name in _LATE_BY_VERSION:
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name)


def everything(languages: Iterable[Language]) -> None:
    """Import all that may be imported later; run each of `languages` once, on record, and run on that
    record."""
    imports()
    traces: list[LegTrace] = []
    runner = Runner(egress=NoEgress(), observer=traces.append)
    event = get_trigger("post-login").example_event
    for language in languages:
        source = Source(language, "warm", _WARM[language])
        outcome = runner.run("post-login", event, [Action("warm", source)])
        if outcome.failure is None or outcome.failure.code != "throw":
            raise RuntimeError(f"the {language} sandbox does not work: {outcome.failure}")
        recorded(_WISH, traces[-1], outcome)
        _shadow(make_record(traces[-1], outcome, keep_secrets=False))
        engine = sandbox.open_engine(language)
        if isinstance(engine, PythonEngine) and not engine.image.memories.tells_written_pages:
            _log.warning("this system does not tell which pages were written: Python Actions take longer")


def _import_below(package: ModuleType) -> None:
    for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not found.name.startswith(_SKIPPED + _NOT_HERE) and not found.name.endswith("__main__"):
            module = importlib.import_module(found.name)
            if found.ispkg:
                _import_below(module)


def _shadow(record: FlowRecord) -> None:
    record = FlowRecord.model_validate_json(record.model_dump_json(by_alias=True))
    actions = recorded_actions(record)
    LEG_SHADOW.dump_json(shadow_leg(record, actions, control=actions, discreet=True))
