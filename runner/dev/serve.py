"""`actionbox dev`: the service over a folder, from its start to its end."""

from __future__ import annotations

import tempfile
import threading
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from watchfiles import watch

from runner.admin.first_client import new_tenant
from runner.client.http import Api, Connection
from runner.config.settings import ServiceSettings, load_settings
from runner.console.links import new_link
from runner.dev.discovery import Trouble
from runner.dev.folder import Folder, is_seen
from runner.dev.home import FolderHome
from runner.dev.routes import router
from runner.dev.sync import Status, Sync
from runner.http.auth.tokens import GRANTED
from runner.management.base.service import Service
from runner.model.text import printable
from runner.server.logs import say
from runner.server.serve import Edition, serve
from runner.server.transport.tls import TlsFiles
from runner.tenant.plan import Values

TENANT: Final = "local"
_ACTOR: Final = "author"
_DEBOUNCE_MS: Final = 100
"""Editors write a file in several steps."""


class FolderEdition(Edition):
    """A service over one folder, for one tenant."""

    routers = (router,)

    def __init__(self, folder: Folder, values: Values, *, opens: bool) -> None:
        """`opens`: a browser, once it serves."""
        self._folder = folder
        self._values = values
        self._opens = opens
        self._stop = threading.Event()
        self._sync: Sync | None = None

    def prepared(self, service: Service) -> Service:
        """With the tenant, and the folder as the home of its Actions."""
        with service.store.begin() as session:
            made = new_tenant(session, service.settings, service.keys, TENANT, self._folder.root.name)
        self._sync = Sync(self._folder, Api(Connection(service.settings.url, token=made.token)), self._values)
        return replace(service, home=FolderHome(self._sync, made.credentials.client_id))

    def greet(self, service: Service, tls: TlsFiles | None) -> None:  # noqa: ARG002
        """Say where, and begin to watch."""
        with service.store.begin() as session:
            url = new_link(session, service.settings, TENANT, actor=_ACTOR, scopes=GRANTED)
        say(f"actionbox dev: {self._folder.root}\nOpen the console; the link signs in once:\n  {url}\n\n")
        threading.Thread(target=self._watch, name="actionbox-folder", daemon=True).start()
        if self._opens:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stop.set()

    def _watch(self) -> None:
        """Push now and after every change, until told to stop."""
        assert self._sync is not None
        told = _Teller()
        told.tell(self._sync.push())
        root = self._folder.root

        def is_ours(_: object, path: str) -> bool:
            try:
                return all(map(is_seen, Path(path).relative_to(root).parts))
            except ValueError:
                return False

        changes = watch(
            root,
            watch_filter=is_ours,
            stop_event=self._stop,
            debounce=_DEBOUNCE_MS,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
        for _ in changes:
            told.tell(self._sync.push())


class _Teller:
    """Says on the terminal what has become of the folder, when that is something new."""

    def __init__(self) -> None:
        self._said: tuple[object, ...] = ()

    def tell(self, status: Status) -> None:
        count = len(status.actions)
        facts = (tuple(item.name for item in status.actions), status.troubles)
        if facts == self._said:
            return
        self._said = facts
        lines = [f"{count} Action{'' if count == 1 else 's'}"]
        lines += [f"  {_line(trouble)}" for trouble in status.troubles]
        say(printable("\n".join(lines)) + "\n")


def _line(trouble: Trouble) -> str:
    place = "".join(f":{number}" for number in (trouble.line, trouble.column) if number is not None)
    where = f"{trouble.file}{place}: " if trouble.file else ""
    return f"{where}{trouble.message}"


def dev(
    folder: Path,
    values: Values,
    *,
    port: int | None,
    workers: int | None,
    opens: bool,
) -> None:
    """Serve `folder` until SIGINT or SIGTERM; must be called in the main thread.

    Args:
        values: of secrets, as `make_plan` takes them.
        port: None takes a free one.

    Raises:
        InputError: there is no such folder, or as `serve`.
        WorkerStartError: workers cannot be started.
    """
    found = Folder(folder)
    with tempfile.TemporaryDirectory(prefix="actionbox-dev-", ignore_cleanup_errors=True) as data:
        edition = FolderEdition(found, values, opens=opens)
        try:
            serve(settings_of(Path(data), port=port, workers=workers), edition)
        finally:
            edition.stop()


def settings_of(data: Path, *, port: int | None, workers: int | None) -> ServiceSettings:
    """Settings of a service on loopback with a database of its own. What the environment says about limits,
    packages and the network holds; what it says about an installation does not.

    Raises:
        InputError: `invalid_settings`.
    """
    given = load_settings(data_dir=data, port=port or 0, workers=workers or 1)
    fixed = {
        "database_url": SecretStr(""),
        "key_file": None,
        "keys": None,
        "host": "127.0.0.1",
        "https": False,
        "tls_cert": None,
        "tls_key": None,
        "public_url": "",
        "run_jobs": True,
        "metrics_port": 0,
        "record_policy": "all",
    }
    level = "warning" if "log_level" not in given.model_fields_set else given.log_level
    return given.model_copy(update={**fixed, "log_level": level})
