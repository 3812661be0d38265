"""Writing an Action's draft: what a request says, checked against what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.config.settings import ServiceSettings
from runner.flow.handlers import snake_case
from runner.http.errors import bad_request, invalid_body
from runner.http.validation import shown
from runner.management.actions.serializers import BUILT
from runner.management.base.schemas import ActionFields, ModuleInput, SecretInput, TriggerInput
from runner.model.runtimes import DEFAULT, LANGUAGES
from runner.store.sealed.sealing import ACTION, SealError
from runner.store.sealed.secrets import SecretBox
from runner.store.tables.columns import now
from runner.store.tables.models import ActionRow, BindingRow, ModuleRow, ModuleVersionRow
from sandbox.core.json_text import utf8_length
from sandbox.core.program import Language
from sandbox.packages.errors import DependencyError
from sandbox.packages.wheels import check_requirement
from triggers import Trigger, UnknownTriggerError, get_trigger

PENDING: Final = "pending"


def choose_trigger(given: TriggerInput) -> tuple[Trigger, str]:
    """The trigger and the version of it that an Action is for.

    An older version is taken where the current one declares itself compatible with it; nothing runs the
    others.

    Raises:
        ApiError: 400.
    """
    try:
        trigger = get_trigger(given.id)
    except UnknownTriggerError as error:
        raise invalid_body(f"'{error}' at $.supported_triggers[0].id.") from None
    version = given.version or trigger.version
    takes = {
        trigger.version,
        *(name for other, name in trigger.versions[0].compatible if other == trigger.id),
    }
    if version not in takes:
        known = ", ".join(sorted(takes, reverse=True))
        raise invalid_body(
            f"'{trigger.id} runs as {known}, not as {shown(version)}' at $.supported_triggers[0].version."
        )
    return trigger, version


def default_code(runtime: str, trigger: Trigger) -> str:
    """The source of an Action that was created without one."""
    if LANGUAGES[runtime] is Language.PYTHON:
        return f"async def {snake_case(trigger.execute_handler)}(event, api):\n    pass\n"
    return str(ActionFields.model_fields["code"].default)


def check_source(body: ActionFields, settings: ServiceSettings) -> None:
    """Raises `ApiError` 400 for a source that is larger than this service takes."""
    if "code" in body.model_fields_set:
        check_source_text(body.code, settings, "$.code")


def check_source_text(code: str, settings: ServiceSettings, place: str) -> None:
    """The same of a text at a place of a body."""
    size = utf8_length(code)
    if size > settings.max_source_bytes:
        raise invalid_body(
            f"'the source has {size} bytes in UTF-8; the service takes {settings.max_source_bytes}, "
            f"as its setting max_source_bytes says' at {place}."
        )


def apply_fields(session: Session, row: ActionRow, body: ActionFields, secrets: SecretBox) -> None:
    """Write what was sent into the draft, which is to be built again unless it was sent what it has.

    Raises:
        ApiError: 400: a secret without a value to keep, an unknown module.
    """
    sent = body.model_fields_set
    if row.status == BUILT and _is_same(session, row, body, secrets):
        return
    if "code" in sent:
        row.code = body.code
    if body.runtime:
        row.runtime = body.runtime
    if "dependencies" in sent:
        _check_packages(LANGUAGES[row.runtime], body)
        row.dependencies = [{"name": item.name, "version": item.version} for item in body.dependencies]
        row.lock = None
    if "modules" in sent:
        row.modules = resolve_modules(session, row.tenant_id, body.modules)
    if "egress" in sent:
        row.egress = (
            None if body.egress is None else [rule.model_dump(exclude_defaults=True) for rule in body.egress]
        )
    if "secrets" in sent:
        put_secrets(secrets, ACTION, row.id, body.secrets)
    row.revision += 1
    row.status = PENDING
    row.errors = []
    row.build_log = []
    row.updated_at = now()


def _check_packages(language: Language, body: ActionFields) -> None:
    """Refuse names that npm's grammar lets pass (`schemas`) and Python's does not. Raises `ApiError` 400."""
    if language is not Language.PYTHON:
        return
    for index, item in enumerate(body.dependencies):
        try:
            check_requirement(item.name, item.version)
        except DependencyError as error:
            text = f"{error.message} {error.next_step}".strip()
            raise invalid_body(f"'{text}' at $.dependencies[{index}].") from None


def _is_same(session: Session, row: ActionRow, body: ActionFields, secrets: SecretBox) -> bool:
    """Whether the draft has all that was sent. Packages are found anew whenever they are sent."""
    sent = body.model_fields_set - {"name", "supported_triggers", "deploy"}
    return (
        bool(sent)
        and sent <= {"code", "runtime", "modules", "secrets"}
        and ("code" not in sent or body.code == row.code)
        and body.runtime in ("", row.runtime)
        and ("modules" not in sent or resolve_modules(session, row.tenant_id, body.modules) == row.modules)
        and ("secrets" not in sent or has_secrets(secrets, ACTION, row.id, body.secrets))
    )


def has_secrets(secrets: SecretBox, kind: str, owner: str, given: Sequence[SecretInput]) -> bool:
    """Whether all of it is stored already; what does not open any more is not."""
    try:
        return secrets.holds(kind, owner, {item.name: item.value for item in given})
    except SealError:
        return False


def put_secrets(secrets: SecretBox, kind: str, owner: str, given: Sequence[SecretInput]) -> None:
    """The complete new set; an entry without a value keeps the stored one. Raises `ApiError` 400."""
    wanted: Mapping[str, str | None] = {item.name: item.value for item in given}
    missing = secrets.replace(kind, owner, wanted)
    if missing:
        place = [item.name for item in given].index(missing[0])
        raise invalid_body(
            f"'Missing required property: value' at $.secrets[{place}]: "
            f"no value of {shown(missing[0])} is stored."
        )


def change_trigger(session: Session, row: ActionRow, given: TriggerInput) -> None:
    """Raises `ApiError` 400 when the Action is bound to, or was deployed for, an incompatible one."""
    trigger, version = choose_trigger(given)
    if trigger.id != row.trigger_id:
        bound = select(BindingRow.id).where(
            BindingRow.tenant_id == row.tenant_id, BindingRow.action_id == row.id
        )
        if session.scalar(bound.limit(1)) is not None or row.deployed_version_id is not None:
            raise bad_request(
                f"The trigger cannot change from {row.trigger_id} to {trigger.id}: they are not compatible. "
                "Create another Action."
            )
    if (row.trigger_id, row.trigger_version) != (trigger.id, version):
        row.status = PENDING  # whatever else is sent, the draft is another one
    row.trigger_id, row.trigger_version = trigger.id, version


def runtime_of(body: ActionFields) -> str:
    return body.runtime or DEFAULT


def resolve_modules(session: Session, tenant: str, given: Sequence[ModuleInput]) -> list[Any]:
    """`[{"module_id", "module_version_id"}]` of what a request names by ids, or by name and number.

    Raises:
        ApiError: 400: no such version, or one module twice.
    """
    found: list[Any] = []
    for index, item in enumerate(given):
        version = _module_version(session, tenant, item)
        if version is None:
            raise invalid_body(f"'there is no such version of a module' at $.modules[{index}].")
        if any(version.module_id == other["module_id"] for other in found):
            raise invalid_body(f"'one module is given twice' at $.modules[{index}].")
        found.append({"module_id": version.module_id, "module_version_id": version.id})
    return found


def _module_version(session: Session, tenant: str, item: ModuleInput) -> ModuleVersionRow | None:
    query = (
        select(ModuleVersionRow)
        .join(
            ModuleRow,
            (ModuleRow.tenant_id == ModuleVersionRow.tenant_id)
            & (ModuleRow.id == ModuleVersionRow.module_id),
        )
        .where(ModuleVersionRow.tenant_id == tenant)
    )
    if item.module_version_id is None and item.module_version_number is None:
        return None
    if item.module_version_id is None and item.module_id is None and item.module_name is None:
        return None
    for column, value in (
        (ModuleVersionRow.id, item.module_version_id),
        (ModuleVersionRow.number, item.module_version_number),
        (ModuleRow.id, item.module_id),
        (ModuleRow.name, item.module_name),
    ):
        if value is not None:
            query = query.where(column == value)
    return session.scalar(query)
