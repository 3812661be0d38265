"""Tables of what tenants write: Actions, versions, bindings, modules, secrets; and who may write."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from runner.store.tables.columns import ID_LENGTH, NAME_LENGTH, Base, Moment, Owned, Stamped, now

SHORT = String(32)


class Tenant(Base, Stamped):
    """A tenant. `settings`: what differs from the installation's: `{"records": {"policy", "days"}}`."""

    __tablename__ = "tenants"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ApiClient(Base, Owned, Stamped):
    """A machine that may ask for tokens. `id` is the client id, unique over all tenants; `secret_digest` is
    SHA-256 of a random secret."""

    __tablename__ = "api_clients"
    __table_args__ = (UniqueConstraint("id", name="api_clients_id_unique"),)

    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    secret_digest: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment, default=None)


class Buildable:
    """Columns of drafts and versions of Actions and modules.

    Attributes:
        dependencies: `[{"name", "version"}]`, as the tenant asked, versions concrete once saved.
        lock: what they were resolved to, as `sandbox.action_build.Lock` writes it.
    """

    code: Mapped[str] = mapped_column(Text)
    dependencies: Mapped[list[Any]] = mapped_column(default=list)
    lock: Mapped[str | None] = mapped_column(Text, default=None)


class ActionRow(Base, Owned, Stamped, Buildable):
    """An Action with its draft.

    Attributes:
        modules: `[{"module_id", "module_version_id"}]`.
        status: of the draft's build (reference/management-api.md section 4).
        errors: `[{"id", "msg", "url"}]` of the build.
        build_log: `[{"at", "text"}]`.
        bundle: digest of the draft's row in `bundles`; None when it requires nothing.
        egress: allow-list `[{"host", "methods"?, "path_prefixes"?}]`; None for the installation's policy.
        revision: one more with each change of the draft; the entity tag.
        deployed_version_id: None before the first deploy.
        next_number: of the next version; numbers are never used again.
    """

    __tablename__ = "actions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name", name="actions_name_unique"),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="actions_tenant"),
        Index("actions_by_status", "status"),
    )

    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    trigger_id: Mapped[str] = mapped_column(String(64))
    trigger_version: Mapped[str] = mapped_column(SHORT)
    runtime: Mapped[str] = mapped_column(SHORT)
    modules: Mapped[list[Any]] = mapped_column(default=list)
    status: Mapped[str] = mapped_column(SHORT, default="pending")
    errors: Mapped[list[Any]] = mapped_column(default=list)
    build_log: Mapped[list[Any]] = mapped_column(default=list)
    bundle: Mapped[str | None] = mapped_column(String(64), default=None)
    egress: Mapped[list[Any] | None] = mapped_column(default=None)
    revision: Mapped[int] = mapped_column(default=1)
    built_at: Mapped[datetime | None] = mapped_column(Moment, default=None)
    deployed_version_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), default=None)
    deployed_revision: Mapped[int | None] = mapped_column(default=None)
    next_number: Mapped[int] = mapped_column(default=1)


class ActionVersionRow(Base, Owned, Stamped, Buildable):
    """An immutable version of an Action; its secrets are sealed copies of its own."""

    __tablename__ = "action_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "action_id", "number", name="action_versions_number_unique"),
        ForeignKeyConstraint(
            ["tenant_id", "action_id"],
            ["actions.tenant_id", "actions.id"],
            name="action_versions_action",
            ondelete="CASCADE",
        ),
    )

    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    number: Mapped[int]
    trigger_id: Mapped[str] = mapped_column(String(64))
    trigger_version: Mapped[str] = mapped_column(SHORT)
    runtime: Mapped[str] = mapped_column(SHORT)
    modules: Mapped[list[Any]] = mapped_column(default=list)
    bundle: Mapped[str | None] = mapped_column(String(64), default=None)
    egress: Mapped[list[Any] | None] = mapped_column(default=None)
    built_at: Mapped[datetime] = mapped_column(default=now)


class BundleRow(Base):
    """The dependencies of versions, once per content: `sandbox.core.program.Dependencies` as JSON text."""

    __tablename__ = "bundles"

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)


class SecretRow(Base):
    """One sealed value. `owner_kind`: `action`, `version`, `module`, `module_version`, `hook` or
    `rollout`."""

    __tablename__ = "secrets"
    __table_args__ = (Index("secrets_by_key", "key_id"),)

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    owner_kind: Mapped[str] = mapped_column(SHORT, primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
    key_id: Mapped[str] = mapped_column(SHORT)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class BindingRow(Base, Owned, Stamped):
    """An Action bound to a trigger, at a position from 0.

    Attributes:
        fail_policy: `closed`, `open` or `last_good`; None for the trigger's default.
        limits: members of `sandbox.core.caps.Limits` that are lower than the installation's.
        record: a policy for records, as text; None for the tenant's.
    """

    __tablename__ = "bindings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "action_id"], ["actions.tenant_id", "actions.id"], name="bindings_action"
        ),
        Index("bindings_by_trigger", "tenant_id", "trigger_id", "position"),
    )

    trigger_id: Mapped[str] = mapped_column(String(64))
    position: Mapped[int]
    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    display_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    fail_policy: Mapped[str | None] = mapped_column(SHORT, default=None)
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    record: Mapped[str | None] = mapped_column(String(64), default=None)


class BindingGeneration(Base):
    """One more with each change that alters what a trigger runs; caches over all replicas compare it."""

    __tablename__ = "binding_generations"

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    trigger_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    generation: Mapped[int] = mapped_column(default=1)


class ModuleRow(Base, Owned, Stamped, Buildable):
    """A shared module with its draft. `published_revision`: the draft's revision at the last publish."""

    __tablename__ = "modules"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name", name="modules_name_unique"),
        ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="modules_tenant"),
    )

    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    revision: Mapped[int] = mapped_column(default=1)
    published_revision: Mapped[int | None] = mapped_column(default=None)
    latest_version_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), default=None)
    next_number: Mapped[int] = mapped_column(default=1)


class ModuleVersionRow(Base, Owned, Buildable):
    """An immutable version of a module."""

    __tablename__ = "module_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "module_id", "number", name="module_versions_number_unique"),
        ForeignKeyConstraint(
            ["tenant_id", "module_id"],
            ["modules.tenant_id", "modules.id"],
            name="module_versions_module",
            ondelete="CASCADE",
        ),
    )

    module_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    number: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)


class AuditRow(Base):
    """The audit trail; rows are only ever added (threat-model P9).

    Attributes:
        actor: client id of the token, or who signed in to the session.
        operation: such as `action.deploy`; method and path of a request that no other row is about.
        digest: SHA-256 of the code, where there is some.
        reason: that the actor gave, where one is asked for.
        session_id, request_id: of the console's session, if it was one, and of the request.
        status: that a request was answered with, in rows that are about requests.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_tenant", "tenant_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    at: Mapped[datetime] = mapped_column(default=now)
    actor: Mapped[str] = mapped_column(String(ID_LENGTH))
    operation: Mapped[str] = mapped_column(String(NAME_LENGTH))
    object_id: Mapped[str] = mapped_column(String(NAME_LENGTH))
    digest: Mapped[str | None] = mapped_column(String(64), default=None)
    reason: Mapped[str | None] = mapped_column(Text, default=None)
    session_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), default=None)
    request_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), default=None)
    status: Mapped[int | None] = mapped_column(default=None)
