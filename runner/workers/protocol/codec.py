"""The JSON forms of sources, Actions and settings on their way to a worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from runner.model.action import Action, FailPolicy
from runner.model.settings import Settings
from runner.workers.protocol.frames import FrameError
from sandbox.core.caps import Limits
from sandbox.core.failure import Failure
from sandbox.core.program import Dependencies, Language, PackageFile, SharedModule, Source
from sandbox.egress.policy.allow import AllowRule

_FAILURES: Final = TypeAdapter(Failure)
_RULES: Final = TypeAdapter(tuple[AllowRule, ...])


def source_bytes(source: Source) -> bytes:
    """A source without the files of its packages: the image holds that."""
    data: dict[str, Any] = {
        "language": source.language.value,
        "filename": source.filename,
        "text": source.text,
        "dependencies": None,
    }
    if source.dependencies is not None:
        data["dependencies"] = {
            "digest": source.dependencies.digest,
            "entries": source.dependencies.entries,
            "modules": [(item.name, item.filename, item.text) for item in source.dependencies.modules],
            "files": [
                (item.scope, item.name, item.filename, item.text, item.is_package)
                for item in source.dependencies.files
            ],
        }
    return json.dumps(data).encode()


def read_source(body: bytes) -> Source:
    """Read what `source_bytes` made."""
    data = json.loads(body)
    found = data["dependencies"]
    dependencies = None if found is None else _dependencies(found)
    return Source(Language(data["language"]), data["filename"], data["text"], dependencies)


def dependencies_bytes(dependencies: Dependencies) -> bytes:
    """Packages and modules with their files, for the process that makes the image."""
    data = {
        "digest": dependencies.digest,
        "bundle": dependencies.bundle,
        "archive": dependencies.archive,
        "entries": dependencies.entries,
        "modules": [(item.name, item.filename, item.text) for item in dependencies.modules],
    }
    return json.dumps(data).encode()


def read_dependencies(body: bytes) -> Dependencies:
    """Read what `dependencies_bytes` made."""
    return _dependencies(json.loads(body))


def _dependencies(data: dict[str, Any]) -> Dependencies:
    return Dependencies(
        digest=data["digest"],
        bundle=data.get("bundle", ""),
        archive=data.get("archive", ""),
        entries=tuple((scope, specifier) for scope, specifier in data["entries"]),
        modules=tuple(SharedModule(*item) for item in data["modules"]),
        files=tuple(PackageFile(*item) for item in data.get("files", ())),
    )


def action_list(action: Action, number: Callable[[Source], int]) -> list[Any]:
    """An Action whose sources are named by the numbers that a worker knows them by."""
    return [
        action.name,
        number(action.source),
        None if action.last_good is None else number(action.last_good),
        dict(action.secrets),
        dict(action.configuration),
        None if action.fail_policy is None else action.fail_policy.value,
        None if action.limits is None else asdict(action.limits),
        {name: dict(values) for name, values in action.module_secrets.items()},
        None if action.allow is None else rules_json(action.allow),
    ]


def read_action(item: list[Any], sources: Mapping[int, Source]) -> Action:
    """Read what `action_list` made."""
    name, source, last_good, secrets, configuration, policy, limits, module_secrets, allow = item
    return Action(
        name=name,
        source=sources[source],
        secrets=secrets,
        configuration=configuration,
        fail_policy=None if policy is None else FailPolicy(policy),
        last_good=None if last_good is None else sources[last_good],
        limits=None if limits is None else Limits(**limits),
        module_secrets=module_secrets,
        allow=None if allow is None else read_rules(allow),
    )


def failure_bytes(failure: Failure) -> bytes:
    """A failure."""
    return _FAILURES.dump_json(failure)


def read_failure(body: bytes) -> Failure:
    """A failure that a worker tells. Raises `FrameError`."""
    try:
        return _FAILURES.validate_json(body)
    except ValidationError:
        raise FrameError("a failure that is none") from None


@lru_cache(maxsize=512)
def rules_json(rules: tuple[AllowRule, ...]) -> str:
    """An allow-list."""
    return _RULES.dump_json(rules).decode()


@lru_cache(maxsize=512)
def read_rules(text: str) -> tuple[AllowRule, ...]:
    """Read what `rules_json` made."""
    return _RULES.validate_json(text)


@lru_cache(maxsize=64)
def settings_json(settings: Settings) -> str:
    """Settings of a flow as JSON."""
    return json.dumps({**asdict(settings), "features": sorted(settings.features)})


@lru_cache(maxsize=64)
def read_settings(text: str) -> Settings:
    """Read what `settings_json` made."""
    data = json.loads(text)
    data["limits"] = Limits(**data["limits"])
    data["features"] = frozenset(data["features"])
    return Settings(**data)
