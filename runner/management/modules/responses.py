"""Responses about shared modules; see `runner.management.base.responses`."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from runner.http.answer_types import Count, Instant, Number, Uuid, closed
from runner.management.base.responses import Dependency, Page, SecretName, TriggerReference


class _ModuleVersion(TypedDict):
    id: Uuid
    version_number: Number
    code: str
    secrets: list[SecretName]
    dependencies: list[Dependency]
    created_at: Instant


@closed
class LatestModuleVersion(_ModuleVersion):
    """The newest version, inside its module."""


@closed
class ModuleVersion(_ModuleVersion):
    """One version of a module; it never changes."""

    module_id: Uuid


class _Module(TypedDict):
    id: Uuid
    name: str
    code: str
    dependencies: list[Dependency]
    secrets: list[SecretName]
    actions_using_module_total: Count
    all_changes_published: bool
    created_at: Instant
    updated_at: Instant
    latest_version_number: NotRequired[Number]


@closed
class Module(_Module):
    """A shared module: its draft, and its newest version."""

    latest_version: NotRequired[LatestModuleVersion]


@closed
class ModuleItem(_Module):
    """A module in a list."""


@closed
class ModuleList(Page):
    """Modules in the order of their creation."""

    modules: list[ModuleItem]


@closed
class ModuleVersionList(Page):
    """A page of a module's versions, newest first."""

    versions: list[ModuleVersion]


@closed
class ModuleUse(TypedDict):
    """An Action that uses a module, and the version that it uses."""

    action_id: Uuid
    action_name: str
    module_version_id: Uuid
    module_version_number: Number
    supported_triggers: list[TriggerReference]


@closed
class ModuleUseList(Page):
    """A page of the Actions that use a module."""

    actions: list[ModuleUse]
