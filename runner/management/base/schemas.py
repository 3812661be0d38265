"""Request bodies of the Management API (reference/management-api.md section 5).

Strict: no value is converted, and a property that is not listed is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from runner.model.caps import (
    MAX_ACTION_NAME,
    MAX_ALLOW_RULES,
    MAX_MODULE_CODE,
    MAX_MODULE_PACKAGE_NAME,
    MAX_MODULE_PACKAGE_VERSION,
    MAX_MODULE_SECRET_NAME,
    MAX_MODULES_PER_ACTION,
    MAX_SECRET_NAME,
    MAX_SECRET_VALUE,
    MAX_SECRETS,
)
from runner.model.runtimes import DEFAULT, LANGUAGES
from runner.records.policy import MAX_POLICY, RecordPolicy
from sandbox.core.caps import MAX_DEPENDENCIES, MAX_PACKAGE_NAME, MAX_PACKAGE_VERSION, MAX_SOURCE_BYTES
from sandbox.core.json_text import utf8_length
from sandbox.egress.policy.allow import AllowRule
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.install import Wanted, check_wanted_list


def _without_defaults(schema: dict[str, Any]) -> None:
    """In the API's description: what is not sent stays as it is."""
    for member in schema["properties"].values():
        member.pop("default", None)


class Body(BaseModel):
    """The base of every body."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("it must not be blank")
    return text


def _fits(text: str) -> str:
    size = utf8_length(text)
    if size > MAX_SOURCE_BYTES:
        raise ValueError(
            f"the source has {size} bytes in UTF-8; no service takes more than {MAX_SOURCE_BYTES}"
        )
    return text


def _known_runtime(name: str) -> str:
    if name and name not in LANGUAGES:
        raise ValueError(f"there is no such runtime; known: {', '.join(LANGUAGES)}")
    return name


Name = Annotated[str, Field(max_length=MAX_ACTION_NAME), AfterValidator(_not_blank)]
Code = Annotated[str, AfterValidator(_fits)]
Runtime = Annotated[str, AfterValidator(_known_runtime)]


class SecretInput(Body):
    """Without `value` the stored one stays. `updated_at` is taken from older clients and ignored."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_SECRET_NAME)]
    value: Annotated[str, Field(max_length=MAX_SECRET_VALUE)] | None = None
    updated_at: Any = None


class DependencyInput(Body):
    """An npm package, or a wheel for a Python Action. `registry_url` is taken and ignored: packages come from
    where the installation says."""

    name: Annotated[str, Field(max_length=MAX_PACKAGE_NAME)]
    version: Annotated[str, Field(max_length=MAX_PACKAGE_VERSION)] = ""
    registry_url: Any = None


class TriggerInput(Body):
    """A trigger, by its id. The other properties of a listed trigger are taken and ignored."""

    id: Annotated[str, Field(max_length=64)]
    version: Annotated[str, Field(max_length=16)] | None = None
    status: Any = None
    runtimes: Any = None
    default_runtime: Any = None
    compatible_triggers: Any = None
    binding_policy: Any = None


class ModuleInput(Body):
    """A version of a shared module: by ids, or by name and number."""

    module_id: Annotated[str, Field(max_length=64)] | None = None
    module_name: Annotated[str, Field(max_length=MAX_ACTION_NAME)] | None = None
    module_version_id: Annotated[str, Field(max_length=64)] | None = None
    module_version_number: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class AllowInput(Body):
    """A host that the Action may reach; see `sandbox.egress.policy.allow.AllowRule`."""

    host: Annotated[str, Field(min_length=1, max_length=255)]
    methods: Annotated[list[Annotated[str, Field(max_length=16)]], Field(max_length=16)] = []
    path_prefixes: Annotated[list[Annotated[str, Field(max_length=512)]], Field(max_length=16)] = []

    @model_validator(mode="after")
    def _is_rule(self) -> Self:
        AllowRule(self.host, frozenset(self.methods), tuple(self.path_prefixes))
        return self


def _once(secrets: list[Any]) -> list[Any]:
    names = [item.name for item in secrets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"the secret {twice} is given twice")
    return secrets


def _packages(items: list[Any]) -> list[Any]:
    try:
        check_wanted_list([Wanted(item.name, item.version) for item in items])
    except DependencyError as error:
        raise ValueError(error.message) from None
    return items


Secrets = Annotated[list[SecretInput], Field(max_length=MAX_SECRETS), AfterValidator(_once)]
Dependencies = Annotated[list[DependencyInput], Field(max_length=MAX_DEPENDENCIES), AfterValidator(_packages)]
Triggers = Annotated[list[TriggerInput], Field(min_length=1, max_length=1)]
Modules = Annotated[list[ModuleInput], Field(max_length=MAX_MODULES_PER_ACTION)]
AllowList = Annotated[list[AllowInput], Field(max_length=MAX_ALLOW_RULES)]


class ActionFields(Body):
    """The fields that POST and PATCH share; `model_fields_set` says which ones were sent.

    Attributes:
        runtime: empty, as the Go command line sends it without `--runtime`, is as good as not sent.
        egress: the only hosts that the Action may reach; None for what the installation allows. (Ours.)
    """

    code: Code = "module.exports = () => {}"
    dependencies: Dependencies = []
    runtime: Runtime = Field(default="", json_schema_extra={"default": DEFAULT, "enum": [*LANGUAGES]})
    secrets: Secrets = []
    modules: Modules = []
    egress: AllowList | None = None


class CreateAction(ActionFields):
    """POST /actions/actions. `deploy`: also deploy it when it is built."""

    name: Name
    supported_triggers: Triggers
    deploy: bool = False


class UpdateAction(ActionFields):
    """PATCH /actions/actions/{id}. The Go SDK sends null for a name or triggers that it does not change."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    name: Name | None = None
    supported_triggers: Triggers | None = None


class TestAction(Body):
    """POST /actions/actions/{id}/test."""

    __test__ = False  # no test case

    payload: dict[str, Any]


class DeployVersion(Body):
    """POST /actions/actions/{id}/versions/{id}/deploy."""

    update_draft: bool = False


class Reference(Body):
    """The Action that a binding names."""

    type: Literal["binding_id", "action_id", "action_name"]
    value: Annotated[str, Field(min_length=1, max_length=MAX_ACTION_NAME)]


class LimitsInput(Body):
    """Limits of one execution; each at most what the installation allows. (Ours.)"""

    wall_ms: Annotated[int, Field(ge=1, le=600_000)] | None = None
    memory_mb: Annotated[int, Field(ge=32, le=2048)] | None = None


def _policy(text: str) -> str:
    return RecordPolicy.parse(text).text


RecordPolicyText = Annotated[str, Field(min_length=1, max_length=MAX_POLICY), AfterValidator(_policy)]


class BindingInput(Body):
    """One binding. `fail_policy`, `limits` and `record` are ours; those not sent stay what they were for the
    Action.

    Attributes:
        record: which executions are recorded, such as `failures, sample: 0.05`; null for the tenant's policy.
    """

    ref: Reference
    display_name: Annotated[str, Field(max_length=MAX_ACTION_NAME)] | None = None
    secrets: Annotated[list[Any], Field(max_length=0)] = []
    fail_policy: Literal["fail_closed", "fail_open", "last_good"] | None = None
    limits: LimitsInput | None = None
    record: RecordPolicyText | None = None


class UpdateBindings(Body):
    """PATCH /actions/triggers/{id}/bindings: the complete new list."""

    bindings: Annotated[list[BindingInput], Field(max_length=100)]


class ModuleSecretInput(SecretInput):
    name: Annotated[str, Field(min_length=1, max_length=MAX_MODULE_SECRET_NAME)]


class ModuleDependencyInput(DependencyInput):
    name: Annotated[str, Field(max_length=MAX_MODULE_PACKAGE_NAME)]
    version: Annotated[str, Field(max_length=MAX_MODULE_PACKAGE_VERSION)]


ModuleSecrets = Annotated[list[ModuleSecretInput], Field(max_length=MAX_SECRETS), AfterValidator(_once)]
ModuleDependencies = Annotated[
    list[ModuleDependencyInput], Field(max_length=MAX_DEPENDENCIES), AfterValidator(_packages)
]
ModuleCode = Annotated[str, Field(max_length=MAX_MODULE_CODE)]


class ModuleFields(Body):
    """The fields that POST and PATCH of a module share."""

    secrets: ModuleSecrets = []
    dependencies: ModuleDependencies = []


class CreateModule(ModuleFields):
    """POST /actions/modules. `api_version` is taken and ignored; `publish`: make version 1 at once."""

    name: Name
    code: ModuleCode
    api_version: Annotated[str, Field(max_length=20)] = ""
    publish: bool = False


class UpdateModule(ModuleFields):
    """PATCH /actions/modules/{id}; the name cannot change."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    code: ModuleCode = ""


class RollbackModule(Body):
    """POST /actions/modules/{id}/rollback."""

    module_version_id: Annotated[str, Field(min_length=1, max_length=64)]
