"""What an Action got from the network, kept to give it to the same Action again."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from urllib.parse import urlsplit

from sandbox.egress.model import (
    Cancel,
    Egress,
    EgressError,
    EgressSession,
    FetchRequest,
    Outcome,
    Settle,
)

_Key = tuple[str, str]
_SECONDS = 0.02


class Tape:
    """Answers by method and address, without the query, in the order of the requests."""

    def __init__(self) -> None:
        self.answers: dict[_Key, list[list[Outcome]]] = defaultdict(list)
        self.lock = threading.Lock()


def _key(request: FetchRequest) -> _Key:
    return request.method, urlsplit(request.url)._replace(query="").geturl()


class Recording:
    """An egress whose answers go onto a tape. A request that got none has an empty place there."""

    def __init__(self, egress: Egress, tape: Tape) -> None:
        self._egress = egress
        self._tape = tape

    def open(self, deadline: float) -> EgressSession:
        """See `Egress.open`."""
        return _RecordingSession(self._egress.open(deadline), self._tape)


class _RecordingSession:
    def __init__(self, inner: EgressSession, tape: Tape) -> None:
        self._inner = inner
        self._tape = tape

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        place: list[Outcome] = []
        with self._tape.lock:
            self._tape.answers[_key(request)].append(place)

        def settled(outcome: Outcome) -> None:
            place.append(outcome)
            settle(outcome)

        return self._inner.start(request, settled)

    def close(self) -> None:
        self._inner.close()


class Playback:
    """An egress that answers from a tape, once."""

    def __init__(self, tape: Tape) -> None:
        self._left = {key: deque(places) for key, places in tape.answers.items()}

    def open(self, deadline: float) -> EgressSession:
        """See `Egress.open`."""
        return self

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        left = self._left.get(_key(request))
        if not left:
            settle(EgressError("no-stub", f"{request.method} {request.url} is not on the tape."))
        else:
            for outcome in left.popleft():
                # As from a network: timers that are due come first, however far away the parent is.
                threading.Timer(_SECONDS, settle, (outcome,)).start()
        return lambda: None

    def close(self) -> None:
        """Nothing is in flight."""
