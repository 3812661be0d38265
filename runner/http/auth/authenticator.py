"""Tells whose a bearer token is, and whether its client is still there."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sqlalchemy import select

from runner.http.auth.tokens import GRANTED, Principal, TokenError, Tokens
from runner.store.database.engine import Store
from runner.store.tables.models import ApiClient

_CLIENT_SECONDS: Final = 5.0
"""A revoked client is noticed after this time at the latest."""
_MAX_KEPT: Final = 4096


class Authenticator:
    """Reads tokens; safe between threads. Answers for tokens seen lately come from memory."""

    def __init__(
        self,
        tokens: Tokens,
        store: Store,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: when tokens end; `monotonic`: how long answers are kept, whatever the clock does."""
        self._tokens = tokens
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    def recall(self, text: str) -> Principal | None:
        """The principal of a token that was good a moment ago, without touching the database."""
        with self._lock:
            found = self._kept.get(_digest(text))
        if found is None or self._monotonic() >= found[1] or self._clock() >= found[0].expires_at:
            return None
        return found[0]

    def authenticate(self, text: str) -> Principal:
        """The principal of a token. Raises `TokenError`. Reads the database: call it in a thread."""
        principal = self._tokens.read(text)
        with self._store.read() as session:
            query = select(ApiClient.revoked_at, ApiClient.scopes).where(
                ApiClient.tenant_id == principal.tenant, ApiClient.id == principal.client_id
            )
            found = session.execute(query).one_or_none()
        if found is None or found[0] is not None:
            raise TokenError("The client of this token was removed")
        if principal.scopes == frozenset(GRANTED):
            principal = replace(principal, scopes=frozenset(found[1]))
        with self._lock:
            self._kept[_digest(text)] = (principal, self._monotonic() + _CLIENT_SECONDS)
            while len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return principal


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
