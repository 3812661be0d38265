"""Routes of `/api/v2/identity-provider-hooks`. (Ours: Auth0's own API has nothing like it.)"""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Final

from fastapi import Response
from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from runner.hooks.management import bodies
from runner.hooks.management.trial import tried
from runner.hooks.model import VERIFY, Hook, Provider, Secret, path_of
from runner.hooks.providers import PROVIDERS
from runner.http.answer_types import moment
from runner.http.auth.caller import needs
from runner.http.cursor_pagination import WantedCursorPage
from runner.http.described import refusals
from runner.http.errors import ApiError, bad_request, invalid_body, not_found
from runner.http.validation import first_problem, shown
from runner.management.base.context import (
    Caller,
    answer,
    box,
    check_room,
    find_named,
    management_router,
    no_content,
    note,
)
from runner.model.caps import MAX_HOOK_SECRETS, MAX_HOOKS
from runner.store.database.notices import HOOKS, Notice, announce
from runner.store.sealed.sealing import HOOK
from runner.store.sealed.secrets import SecretName
from runner.store.tables.columns import named_id, now
from runner.store.tables.entities import HookRow
from runner.store.tables.models import SecretRow

router: Final = management_router("Identity provider hooks")
_PATH: Final = "/identity-provider-hooks"
_WHAT: Final = "hook"
_KIND: Final = "hok"
HookReader = Annotated[Caller, needs("read:identity_provider_hooks")]
HookUpdater = Annotated[Caller, needs("update:identity_provider_hooks")]


@router.get(_PATH, summary="List hooks", response_model=bodies.HookList)
def list_hooks(caller: HookReader, wanted: WantedCursorPage) -> Response:
    """In the order of their creation; `next` while there are more."""
    # A release after this one may have had more providers.
    query = select(HookRow).where(HookRow.tenant_id == caller.tenant, HookRow.provider.in_(PROVIDERS))
    with caller.service.store.read() as session:
        rows, following = wanted.fetch(session, query, HookRow.created_at, HookRow.id)
        found: dict[str, Any] = {"identity_provider_hooks": [_view(caller, session, row) for row in rows]}
    return answer(found if following is None else {**found, "next": following})


@router.post(
    _PATH, summary="Create a hook", status_code=201, response_model=bodies.HookItem, responses=refusals(409)
)
def create_hook(
    caller: Annotated[Caller, needs("create:identity_provider_hooks")], body: bodies.CreateHook
) -> Response:
    """From now on the provider may call the hook's `url`; without a secret every request is refused."""
    provider, hook = _known(body.provider, body.hook)
    _check_settings(provider, body.settings)
    _check_budget(hook, body.budget_ms)
    with caller.service.store.begin() as session:
        check_room(session, HookRow, caller.tenant, MAX_HOOKS, "hooks")
        row = HookRow(
            tenant_id=caller.tenant,
            id=named_id(_KIND),
            provider=body.provider,
            hook=body.hook,
            enabled=body.enabled,
            on_uncarried=body.on_uncarried,
            budget_ms=body.budget_ms,
            defaults=body.defaults.model_dump(exclude_unset=True),
            settings=body.settings,
            created_at=now(),
            updated_at=now(),
        )
        session.add(row)
        try:
            session.flush()
        except IntegrityError:
            raise ApiError(409, f"There is a hook {body.hook} of {body.provider} already.") from None
        given = [(item.use, item.value) for item in body.secrets]
        drawn = [(VERIFY, _draw())] if not given and provider.makes_secret else []
        made = _put(caller, session, row, given + drawn)
        note(caller, session, "identity_provider_hook.create", row.id)
        view = _view(caller, session, row)
    for item in view["secrets"]:
        if drawn and item["id"] in made:
            item["value"] = drawn[0][1]
    return answer(view, 201)


@router.get(f"{_PATH}/{{hook_id}}", summary="Get a hook", response_model=bodies.HookItem)
def get_hook(caller: HookReader, hook_id: str) -> Response:
    with caller.service.store.read() as session:
        return answer(_view(caller, session, _find(caller, session, hook_id)))


@router.patch(f"{_PATH}/{{hook_id}}", summary="Change a hook", response_model=bodies.HookItem)
def update_hook(caller: HookUpdater, hook_id: str, body: bodies.UpdateHook) -> Response:
    """What is sent changes. Provider and hook stay what they are."""
    with caller.service.store.begin() as session:
        row = _find(caller, session, hook_id, lock=True)
        provider, hook = _known(row.provider, row.hook)
        sent = body.model_fields_set
        _check_settings(provider, body.settings if "settings" in sent else row.settings)
        _check_budget(hook, body.budget_ms)
        for name in sent - {"defaults"}:
            setattr(row, name, getattr(body, name))
        if "defaults" in sent:
            row.defaults = body.defaults.model_dump(exclude_unset=True)
        _changed(caller, session, row, "identity_provider_hook.update")
        return answer(_view(caller, session, row))


@router.delete(f"{_PATH}/{{hook_id}}", summary="Delete a hook", status_code=204)
def delete_hook(caller: Annotated[Caller, needs("delete:identity_provider_hooks")], hook_id: str) -> Response:
    """The provider's requests are refused from now on."""
    with caller.service.store.begin() as session:
        row = _find(caller, session, hook_id, lock=True)
        box(caller, session).remove(HOOK, [row.id])
        _changed(caller, session, row, "identity_provider_hook.delete")
        session.delete(row)
    return no_content()


@router.post(
    f"{_PATH}/{{hook_id}}/secrets",
    summary="Add a secret",
    status_code=201,
    response_model=bodies.SecretItem,
)
def add_secret(caller: HookUpdater, hook_id: str, body: bodies.AddSecret) -> Response:
    """Beside the present ones: requests with any of them are taken until the old one is deleted."""
    with caller.service.store.begin() as session:
        row = _find(caller, session, hook_id, lock=True)
        provider, _ = _known(row.provider, row.hook)
        if body.value is None and not (provider.makes_secret and body.use == VERIFY):
            raise invalid_body(f"'Missing required property: value' at $.value: {provider.title} has it.")
        value = body.value or _draw()
        (secret_id,) = _put(caller, session, row, [(body.use, value)])
        _changed(caller, session, row, "identity_provider_hook.secret.create")
        (item,) = [item for item in _secret_views(caller, session, row) if item["id"] == secret_id]
    return answer(item if body.value is not None else {**item, "value": value}, 201)


@router.delete(f"{_PATH}/{{hook_id}}/secrets/{{secret_id}}", summary="Delete a secret", status_code=204)
def delete_secret(caller: HookUpdater, hook_id: str, secret_id: str) -> Response:
    """Requests that only this one proves are refused from now on."""
    with caller.service.store.begin() as session:
        row = _find(caller, session, hook_id, lock=True)
        names = [name.name for name in _names(caller, session, row)]
        found = [name for name in names if name.partition(".")[2] == secret_id]
        if not found:
            raise not_found("secret")
        session.execute(
            delete(SecretRow).where(
                SecretRow.tenant_id == caller.tenant,
                SecretRow.owner_kind == HOOK,
                SecretRow.owner_id == row.id,
                SecretRow.name.in_(found),
            )
        )
        _changed(caller, session, row, "identity_provider_hook.secret.delete")
    return no_content()


@router.post(f"{_PATH}/{{hook_id}}/test", summary="Test a hook", response_model=bodies.TestResult)
async def test_hook(caller: HookUpdater, hook_id: str, body: bodies.TestHook) -> Response:
    """Run the Actions bound to its trigger on the provider's example, or on `payload`: what they do, the
    answer that the provider would get, and the effects that would not reach it. Nothing is recorded."""

    def work() -> Response:
        with caller.service.store.read() as session:
            row = _find(caller, session, hook_id)
        return answer(tried(caller, row, body.payload))

    return await caller.service.tests.run(caller.tenant, work)


test_hook.__test__ = False  # type: ignore[attr-defined]


def _find(caller: Caller, session: Session, hook_id: str, *, lock: bool = False) -> HookRow:
    row = find_named(session, HookRow, caller.tenant, hook_id, _WHAT, lock=lock)
    if row.provider not in PROVIDERS:
        raise not_found(_WHAT)
    return row


def _known(provider: str, hook: str) -> tuple[Provider, Hook]:
    found = PROVIDERS.get(provider)
    if found is None:
        known = ", ".join(sorted(PROVIDERS))
        raise invalid_body(f"'There is no such provider; known: {known}' at $.provider.")
    if hook not in found.hooks:
        known = ", ".join(found.hooks)
        raise invalid_body(f"'{found.title} has no hook {shown(hook)}; it has: {known}' at $.hook.")
    return found, found.hooks[hook]


def _check_settings(provider: Provider, given: dict[str, Any]) -> None:
    try:
        provider.settings_model.model_validate(given)
    except ValidationError as error:
        listed = [{**item, "loc": ("body", "settings", *item["loc"])} for item in error.errors()]
        message, code = first_problem(listed)
        raise ApiError(400, message, code) from None


def _check_budget(hook: Hook, budget_ms: int | None) -> None:
    if budget_ms is not None and budget_ms > hook.max_budget_ms:
        raise invalid_body(
            f"'The provider waits {hook.limit_ms} ms; at most {hook.max_budget_ms} of them can be used' "
            "at $.budget_ms."
        )


def _put(caller: Caller, session: Session, row: HookRow, given: list[tuple[str, str]]) -> list[str]:
    """Add secrets; their ids."""
    there = {name.name: None for name in _names(caller, session, row)}
    if len(there) + len(given) > MAX_HOOK_SECRETS:
        raise bad_request(f"A hook may have {MAX_HOOK_SECRETS} secrets.", "too_many_entities")
    new = [Secret(secrets.token_hex(8), use, value) for use, value in given]
    provider, _ = _known(row.provider, row.hook)
    for item in new:
        problem = provider.problem_of(item)
        if problem:
            raise invalid_body(f"{problem}.")
    wanted: dict[str, str | None] = {**there, **{f"{item.use}.{item.id}": item.value for item in new}}
    box(caller, session).replace(HOOK, row.id, wanted)
    _announce(session, caller)
    return [item.id for item in new]


def _draw() -> str:
    return secrets.token_urlsafe(32)


def _changed(caller: Caller, session: Session, row: HookRow, operation: str) -> None:
    row.updated_at = now()
    note(caller, session, operation, row.id)
    session.flush()
    _announce(session, caller)


def _announce(session: Session, caller: Caller) -> None:
    announce(session, Notice(HOOKS, caller.tenant))


def _names(caller: Caller, session: Session, row: HookRow) -> list[SecretName]:
    return box(caller, session).names(HOOK, [row.id])[row.id]


def _secret_views(caller: Caller, session: Session, row: HookRow) -> list[dict[str, Any]]:
    found = []
    for name in sorted(_names(caller, session, row), key=lambda item: item.updated_at):
        use, _, secret_id = name.name.partition(".")
        found.append({"id": secret_id, "use": use, "created_at": moment(name.updated_at)})
    return found


def _view(caller: Caller, session: Session, row: HookRow) -> dict[str, Any]:
    hook = PROVIDERS[row.provider].hooks[row.hook]
    return {
        "id": row.id,
        "provider": row.provider,
        "hook": row.hook,
        "url": caller.service.settings.url + path_of(row.tenant_id, row.provider, row.hook),
        "triggers": list(hook.triggers),
        "enabled": row.enabled,
        "on_uncarried": row.on_uncarried,
        "budget_ms": row.budget_ms or hook.budget_ms,
        "defaults": row.defaults,
        "settings": row.settings,
        "secrets": _secret_views(caller, session, row),
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
