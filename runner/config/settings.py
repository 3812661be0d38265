"""Settings of the service: built-in values, a TOML file, the environment; checked before anything starts."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError as SourceError

from runner.config.oidc import OidcGrant
from runner.model.caps import (
    DEFAULT_BUDGET_MS,
    DEFAULT_HANDLE_SECONDS,
    KIB,
    MAX_ACTIONS,
    MAX_BODY_BYTES,
    MAX_BUDGET_MS,
    MAX_HANDLE_SECONDS,
    MAX_RECORD_LEG_KB,
)
from runner.model.errors import InputError
from runner.model.settings import Settings
from runner.records.policy import DEFAULT, RecordPolicy
from runner.records.recorder import RecordLimits
from sandbox.core.caps import (
    DEFAULT_SOURCE_BYTES,
    MAX_MEMORY_BYTES,
    MAX_SOURCE_BYTES,
    MIB,
    MIN_SOURCE_BYTES,
    Limits,
)
from sandbox.egress import EgressPolicy, parse_allow
from sandbox.egress.policy.url import SCHEMES

PREFIX = "ACTIONBOX_"
CONFIG_FILE = "ACTIONBOX_CONFIG"
"""Environment variable: the settings file."""
_OTHERS: Final = "CONFIG CACHE STATE DEBUG PROFILES URL TOKEN CLIENT_ID CLIENT_SECRET CA_FILE"
OTHER_VARIABLES: Final = frozenset(PREFIX + name for name in _OTHERS.split())
"""What else is ours: the settings file, and variables of the command line."""
_LINK: Final = re.compile(r"_SERVICE_(HOST|PORT)|_PORT_[0-9]+_")
"""Names that Kubernetes gives to a pod for each service, here one that is called actionbox."""


class ServiceSettings(BaseSettings):
    """Every setting of `actionbox serve`; as `ACTIONBOX_NAME` in the environment, as `name` in the file.

    Attributes:
        database_url: `sqlite:///…` or `postgresql://…`, also as `DATABASE_URL`; if empty, a file in
            `data_dir`.
        data_dir: database, key ring and certificates, unless they are elsewhere.
        key_file: the key ring (decision 20); `data_dir/keys.json` if None. Made when missing with the
            embedded database only.
        keys: the key ring itself as JSON text, instead of a file.
        host, port: address to listen on.
        https: with a certificate of our own making, unless `tls_cert` and `tls_key` name one.
        public_url: how clients reach the service, where that is not `host:port`.
        workers: processes that run Actions.
        run_jobs: run asynchronous triggers here; without, `actionbox worker` processes do.
        metrics_host, metrics_port: where Prometheus metrics are served; port 0 serves none.
        rate_per_second, rate_burst: requests of one tenant on the Management API.
        max_source_bytes: of the source of one Action, in UTF-8.
        token_seconds: life of an access token.
        max_body_bytes, read_seconds: of one request's body.
        tenant_actions: the most Actions of one tenant.
        tenant_requests: of one tenant that are being answered, of one process.
        max_connections: of clients, of one process.
        head_seconds: in which a connection must have sent the head of a request, once it has begun.
        write_seconds: how long a client may take nothing of an answer.
        shutdown_seconds: for requests that run when the service is told to stop.
        budget_ms, wall_ms, memory_mb: a flow's leg, and each execution.
        handle_seconds: how long a suspended flow waits.
        tenant_concurrency, tenant_queue, queue: executions of one tenant that run and wait, and of all.
        console_session_hours: after which whoever is signed in to the console signs in again.
        oidc_issuer, oidc_client_id, oidc_client_secret, oidc_scope: an OpenID provider that people sign in
            to the console with; none if the issuer is empty.
        oidc_groups_claim, oidc_grants: the claim with somebody's groups, and what each group may do.
        execution_days: how long executions are kept (reference/limits.md: 10 days).
        record_policy: which executions are recorded to be run again, for tenants that chose nothing, see
            `runner.records.policy`.
        record_days: how long such records stay.
        record_quota_mb: of one tenant's records; the oldest go for the newest.
        record_leg_kb: of the record of one leg, before it is compressed.
        record_queue, record_queue_mb: records that wait to be stored, of one process.
        npm_registry, npm_packages: where packages come from; npm's own setting if both are empty.
        wheels: folder of the packages of Python Actions; None for none.
        allow_private_network: let Actions reach private addresses.
        egress_ca_file: PEM file with more certificate authorities for requests of Actions.
        egress_allow: the only hosts that Actions may reach, as `sandbox.egress.parse_allow` reads them; all
            public ones when empty.
        egress_https_only: whether Actions may use https alone.
        build_threads: builds at a time in this process, and as many more of drafts with packages or
            modules; 0 leaves them to others.
        log_format, log_level: of the service's own log, on standard error; `auto` is `console` on a terminal
            and `json` elsewhere.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", validate_default=True)

    database_url: SecretStr = SecretStr("")
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("actionbox")))
    key_file: Path | None = None
    keys: SecretStr | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8420
    https: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    public_url: str = ""
    run_jobs: bool = True
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    workers: Annotated[int, Field(ge=1, le=256)] = Field(default_factory=lambda: os.cpu_count() or 1)
    rate_per_second: Annotated[float, Field(gt=0, le=1_000_000)] = 100
    rate_burst: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    max_source_bytes: Annotated[int, Field(ge=MIN_SOURCE_BYTES, le=MAX_SOURCE_BYTES)] = DEFAULT_SOURCE_BYTES
    token_seconds: Annotated[int, Field(ge=60, le=30 * 86_400)] = 86_400
    max_body_bytes: Annotated[int, Field(ge=1_024, le=MAX_BODY_BYTES)] = MAX_BODY_BYTES
    read_seconds: Annotated[float, Field(gt=0, le=300)] = 20
    tenant_actions: Annotated[int, Field(ge=1, le=100_000)] = MAX_ACTIONS
    tenant_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 400
    max_connections: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    head_seconds: Annotated[float, Field(gt=0, le=300)] = 10
    write_seconds: Annotated[float, Field(gt=0, le=600)] = 30
    shutdown_seconds: Annotated[int, Field(ge=0, le=600)] = 30
    budget_ms: Annotated[int, Field(ge=1, le=MAX_BUDGET_MS)] = DEFAULT_BUDGET_MS
    wall_ms: Annotated[int, Field(ge=1, le=MAX_BUDGET_MS)] = DEFAULT_BUDGET_MS
    memory_mb: Annotated[int, Field(ge=32, le=MAX_MEMORY_BYTES // MIB)] = 128
    handle_seconds: Annotated[int, Field(ge=1, le=MAX_HANDLE_SECONDS)] = DEFAULT_HANDLE_SECONDS
    tenant_concurrency: Annotated[int, Field(ge=1, le=10_000)] = 16
    tenant_queue: Annotated[int, Field(ge=0, le=100_000)] = 64
    queue: Annotated[int, Field(ge=0, le=1_000_000)] = 512
    console_session_hours: Annotated[float, Field(gt=0, le=720)] = 12
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scope: str = "openid email profile"
    oidc_groups_claim: str = "groups"
    oidc_grants: tuple[OidcGrant, ...] = ()
    execution_days: Annotated[float, Field(gt=0, le=3_650)] = 10
    record_policy: str = DEFAULT.text
    record_days: Annotated[float, Field(gt=0, le=3_650)] = 7
    record_quota_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    record_leg_kb: Annotated[int, Field(ge=16, le=MAX_RECORD_LEG_KB)] = 4 * KIB
    record_queue: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    record_queue_mb: Annotated[int, Field(ge=1, le=100_000)] = 64
    npm_registry: str = ""
    npm_packages: Path | None = None
    wheels: Path | None = None
    allow_private_network: bool = False
    egress_ca_file: Path | None = None
    egress_allow: tuple[str, ...] = ()
    egress_https_only: bool = False
    build_threads: Annotated[int, Field(ge=0, le=32)] = 2
    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("database_url")
    @classmethod
    def _is_url(cls, url: SecretStr) -> SecretStr:
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            if url.get_secret_value():
                make_url(url.get_secret_value())
        except (ArgumentError, ValueError):
            raise ValueError("this is not the URL of a database") from None
        return url

    @field_validator("tls_cert", "tls_key", "egress_ca_file")
    @classmethod
    def _is_file(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"there is no file {path}")
        return path

    @field_validator("record_policy")
    @classmethod
    def _is_policy(cls, text: str) -> str:
        return RecordPolicy.parse(text).text

    @field_validator("egress_allow")
    @classmethod
    def _are_rules(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            parse_allow(rule)
        return rules

    @field_validator("npm_packages", "wheels")
    @classmethod
    def _is_folder(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_dir():
            raise ValueError(f"there is no folder {path}")
        return path

    @field_validator("tls_key")
    @classmethod
    def _both(cls, path: Path | None, info: Any) -> Path | None:
        if (path is None) != (info.data.get("tls_cert") is None):
            raise ValueError("tls_cert and tls_key go together")
        return path

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments outrank the environment, which outranks the file."""
        sources = [init_settings, env_settings, _PlainUrl(settings_cls)]
        file = os.environ.get(CONFIG_FILE)
        if file:
            sources.append(TomlConfigSettingsSource(settings_cls, Path(file)))
        return tuple(sources)

    @property
    def database(self) -> str:
        """The URL of the database."""
        given = self.database_url.get_secret_value()
        return given or f"sqlite:///{(self.data_dir / 'actionbox.db').absolute()}"

    @property
    def key_path(self) -> Path:
        return self.key_file or self.data_dir / "keys.json"

    @property
    def tls(self) -> bool:
        return self.https or self.tls_cert is not None

    @property
    def url(self) -> str:
        """The address of the service for clients, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "localhost" if self.host in ("127.0.0.1", "::1", "0.0.0.0", "::") else self.host  # noqa: S104
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    @property
    def flows(self) -> Settings:
        """Settings of flows."""
        limits = Limits(wall_ms=self.wall_ms, memory_bytes=self.memory_mb * MIB)
        return Settings(limits=limits, budget_ms=self.budget_ms, handle_seconds=self.handle_seconds)

    @property
    def records(self) -> RecordLimits:
        """Limits of records."""
        return RecordLimits(
            days=self.record_days,
            quota_bytes=self.record_quota_mb * MIB,
            leg_bytes=self.record_leg_kb * KIB,
            queue_items=self.record_queue,
            queue_bytes=self.record_queue_mb * MIB,
        )

    @property
    def egress(self) -> EgressPolicy:
        """The policy for requests of Actions."""
        return EgressPolicy(
            allow_private=self.allow_private_network,
            allow=tuple(map(parse_allow, self.egress_allow)) or None,
            schemes=frozenset({"https"} if self.egress_https_only else SCHEMES),
            ca_file=None if self.egress_ca_file is None else str(self.egress_ca_file),
        )

    def shown(self) -> dict[str, Any]:
        """The effective settings without secrets."""
        from sqlalchemy.engine import make_url

        values = self.model_dump(mode="json", exclude={"keys"})
        values["database_url"] = make_url(self.database).render_as_string(hide_password=True)
        values["key_file"] = "(from ACTIONBOX_KEYS)" if self.keys is not None else str(self.key_path)
        values["public_url"] = self.url
        return values


class _PlainUrl(PydanticBaseSettingsSource):
    """`DATABASE_URL`, as hosters set it; `ACTIONBOX_DATABASE_URL` outranks it."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        url = os.environ.get("DATABASE_URL")
        return {"database_url": url} if url else {}


def load_settings(config: Path | None = None, **overrides: Any) -> ServiceSettings:
    """The settings from file, environment and `overrides` (those that are None are left out).

    Args:
        config: the settings file; the environment variable `ACTIONBOX_CONFIG` names it otherwise.

    Raises:
        InputError: `invalid_settings`: which setting, what is wrong with it.
    """
    if config is not None:
        os.environ[CONFIG_FILE] = str(config)
    file = os.environ.get(CONFIG_FILE)
    if file and not Path(file).is_file():
        raise InputError("invalid_settings", f"there is no settings file {file}")
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return ServiceSettings(**given)
    except ValidationError as error:
        raise _invalid(_sentences(error)) from None
    except (SourceError, ValueError) as error:  # ValueError: the file is not TOML
        raise _invalid(f"{file}: {error}" if file else str(error)) from None


def misspelt(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that looks like one of ours and is none."""
    known = {PREFIX + name.upper() for name in ServiceSettings.model_fields} | OTHER_VARIABLES
    texts = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in known or _LINK.search(name):
            continue
        near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
        hint = f"; did you mean {near[0]}?" if near else ""
        texts.append(f"the environment variable {name} is no setting of actionbox and is ignored{hint}")
    return texts


def _invalid(problem: str) -> InputError:
    return InputError(
        "invalid_settings",
        f"the settings cannot be used: {problem}",
        next_step="docs/operations.md lists them.",
    )


def _sentences(error: ValidationError) -> str:
    texts = []
    for item in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in item["loc"])
        texts.append(
            f"{name}: {'there is no such setting' if item['type'] == 'extra_forbidden' else item['msg']}"
        )
    return "; ".join(texts)
