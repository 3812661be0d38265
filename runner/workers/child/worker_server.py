"""A worker at work: takes what the parent sends, gives legs to the scheduler, sends back their outcomes."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any, Final

from pydantic import ValidationError

import sandbox
from runner.flow.leg_trace import LegTrace
from runner.flow.programs import ProgramCache
from runner.flow.runner import Runner
from runner.model.action import Action
from runner.model.errors import FlowError, InputError, ResumeError
from runner.model.outcome import FlowOutcome
from runner.records.policy import Wish
from runner.replay.record import FlowRecord
from runner.shadow.answers import OtherAnswer
from runner.shadow.leg import LEG_SHADOW, shadow_leg, told_leg
from runner.suspension.stores import PinnedAction
from runner.workers.child.builder import Asking
from runner.workers.child.host_proxies import LegStore, RemoteCache, RemoteDirectory, RemoteEgress
from runner.workers.child.leg_scheduler import LegScheduler, LegTask
from runner.workers.child.recording import recorded
from runner.workers.child.stamping import stamp
from runner.workers.protocol.channel import Link
from runner.workers.protocol.codec import failure_bytes, read_action, read_rules, read_settings, read_source
from runner.workers.protocol.frames import UnsendableError
from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError
from sandbox.core.json_text import well_formed
from sandbox.core.program import Source
from sandbox.egress.policy.allow import AllowRule
from triggers import EventError, UnknownTriggerError

_log: Final = logging.getLogger(__name__)
_TEXTS: Final = (8_000, 800, 80)
"""Characters of each text of a refusal: of an ordinary one all, of a huge one as many as fit in a message."""


class WorkerServer(Asking):
    """One per worker. `handle` is called by the thread that reads the socket."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._programs = ProgramCache()
        self._scheduler = LegScheduler(
            lambda number, state: link.send({"t": "moved", "id": number, "state": state})
        )
        self._sources: dict[int, Source] = {}
        self._egress: dict[int, RemoteEgress] = {}
        self._handlers: dict[str, Callable[[dict[str, Any], bytes], None]] = {
            "leg": self._leg,
            "resume": self._leg,
            "build": self._build,
            "warm": self._warm,
            "shadow": self._shadow,
            "stamp": self._stamp,
            "source": self._source,
            "drop": self._drop,
            "answer": link.answered,
            "settled": self._settled,
            "ping": lambda head, _: link.send({"t": "pong", "n": head["n"]}),
        }

    def handle(self, head: dict[str, Any], body: bytes) -> None:
        """Take one message. What takes time goes to another thread."""
        self._handlers[head["t"]](head, body)

    def image(self, name: str, key: str, build: Callable[[], bytes]) -> bytes:  # noqa: ARG002 - a `Supply`
        """Images of packages come from the parent, which has them under the same digest."""
        return self._link.ask({"t": "image", "digest": key.rpartition("\n")[2]})[1]

    # --- sources ---

    def _source(self, head: dict[str, Any], body: bytes) -> None:
        self._sources[head["id"]] = read_source(body)

    def _drop(self, head: dict[str, Any], _: bytes) -> None:
        for number in head["ids"]:
            source = self._sources.pop(number, None)
            if source is not None:
                self._programs.forget(source)

    # --- legs and builds ---

    def _leg(self, head: dict[str, Any], body: bytes) -> None:
        # Sources are looked up now: the parent may drop them for a later call.
        task = self._run if head["t"] == "leg" else self._resume
        actions = [read_action(item, self._sources) for item in head["actions"]] if head["t"] == "leg" else []
        self._submit(head["id"], lambda leg: task(leg, head, body, actions), low=head["low"])

    def _build(self, head: dict[str, Any], _: bytes) -> None:
        source = self._sources[head["source"]]
        limits = Limits(**head["limits"])
        number = head["id"]
        self._submit(number, lambda _: self._built(number, source, limits), low=True)

    def _built(self, number: int, source: Source, limits: Limits) -> None:
        """Compile, for what the compiler says; each worker that runs the source compiles it then."""
        try:
            sandbox.build(source, limits, load=True)
        except BuildError as error:
            self._link.send({"t": "built", "id": number, "ok": False}, failure_bytes(error.failure))
        else:
            self._link.send({"t": "built", "id": number, "ok": True})

    def _warm(self, head: dict[str, Any], _: bytes) -> None:
        source, number = self._sources[head["source"]], head["id"]
        self._submit(number, lambda _: self._warmed(number, source), low=True)

    def _warmed(self, number: int, source: Source) -> None:
        """Have the program of a source before a leg asks for it; one that does not build says so then."""
        with contextlib.suppress(BuildError):
            self._programs.get(source)
        self._link.send({"t": "built", "id": number, "ok": True})

    def _stamp(self, head: dict[str, Any], body: bytes) -> None:
        self._submit(head["id"], lambda _: self._stamped(head["id"], body), low=True)

    def _stamped(self, number: int, body: bytes) -> None:
        found = stamp(body, self._programs)
        self._link.send({"t": "stamped", "id": number}, found.model_dump_json().encode())

    def _shadow(self, head: dict[str, Any], body: bytes) -> None:
        actions = [read_action(item, self._sources) for item in head["actions"]]
        control = [read_action(item, self._sources) for item in head["control"]]
        self._submit(head["id"], lambda _: self._shadowed(head, body, actions, control), low=True)

    def _shadowed(
        self, head: dict[str, Any], body: bytes, actions: list[Action], control: list[Action]
    ) -> None:
        number = head["id"]
        try:
            record = FlowRecord.model_validate_json(body)
            record = record.model_copy(update={"budget_ms": min(record.budget_ms, head["budget_ms"])})
            if head["answers"] is None:
                found = shadow_leg(record, actions, self._programs, control=control or None, discreet=True)
            else:
                answers = [OtherAnswer(**item) for item in head["answers"]]
                found = told_leg(record, actions, self._programs, control=control or None, answers=answers)
        except ValidationError:
            self._refuse(number, InputError("invalid_record", "the record is of another release"))
        except InputError as error:
            self._refuse(number, error)
        else:
            self._link.send({"t": "shadowed", "id": number}, LEG_SHADOW.dump_json(found))

    def _submit(self, number: int, work: Callable[[LegTask], None], *, low: bool) -> None:
        """Let a call take its turn. What it raises is told to the parent, and does not end the worker."""

        def guarded(leg: LegTask) -> None:
            try:
                work(leg)
            except OSError:
                raise  # the parent is gone
            except UnsendableError:
                self._over(number)
            except Exception:  # noqa: BLE001 - one call must not end the worker
                self._fault(number)
            finally:
                self._egress.pop(number, None)

        self._scheduler.submit(LegTask(number, guarded, low=low))

    def _over(self, number: int) -> None:
        _log.warning("a call came to more than a message holds", exc_info=True)
        self._link.send({"t": "over", "id": number})

    def _fault(self, number: int) -> None:
        fault = secrets.token_hex(6)
        _log.exception("host fault %s in a worker", fault)
        self._link.send({"t": "fault", "id": number, "fault": fault})

    def _settled(self, head: dict[str, Any], body: bytes) -> None:
        egress = self._egress.get(head["id"])
        if egress is not None:
            egress.settled(head, body)

    def _run(self, leg: LegTask, head: dict[str, Any], body: bytes, actions: list[Action]) -> None:
        self._conclude(
            leg,
            head,
            LegStore(self._link, leg.number),
            [action.allow for action in actions],
            lambda runner: runner.run(
                head["trigger"],
                body,
                actions,
                tenant=head["tenant"],
                execution_id=head["execution_id"],
                executed_rules=head["rules"],
            ),
        )

    def _resume(self, leg: LegTask, head: dict[str, Any], body: bytes, _: list[Action]) -> None:
        given = json.loads(body)
        values = given["secrets"]
        pinned = json.loads(given["waiting"])["actions"]

        def provide(action: PinnedAction) -> Any:
            return values.get(action.name, {})

        self._conclude(
            leg,
            head,
            LegStore(self._link, leg.number, waiting=given["waiting"]),
            [
                read_rules(json.dumps(item["allow"])) if item.get("allow") is not None else None
                for item in pinned
            ],
            lambda runner: runner.resume(
                given["handle"],
                request=given["request"],
                prompt=given["prompt"],
                methods=given["methods"],
                enrolled=given["enrolled"],
                secrets=provide,
                tenant=head["tenant"],
            ),
        )

    def _conclude(
        self,
        leg: LegTask,
        head: dict[str, Any],
        store: LegStore,
        allow: list[tuple[AllowRule, ...] | None],
        run: Callable[[Runner], FlowOutcome],
    ) -> None:
        link, number = self._link, leg.number
        lists = [rules for rules in allow if rules is not None]
        egress = RemoteEgress(link, number, lists, lambda: self._scheduler.waits(leg))
        self._egress[number] = egress
        traces: list[LegTrace] = []
        on_record: list[FlowOutcome | None] = []
        wish = None if head["record"] is None else Wish.read(head["record"])
        runner = Runner(
            settings=read_settings(head["settings"]),
            egress=egress,
            store=store,
            programs=self._programs,
            caches=lambda _tenant, _trigger: RemoteCache(link, number),
            directory=RemoteDirectory(link, number),
            observer=None if wish is None else traces.append,
            recorder=on_record.append,
        )
        try:
            outcome = run(runner)
        except (UnknownTriggerError, EventError, FlowError, ResumeError) as error:
            self._refuse(number, error)
            return
        kept = on_record[0]
        parts = [
            outcome.to_json().encode(),
            store.put_text.encode(),
            b"" if kept is None else kept.to_json().encode(),
        ]
        link.send(
            {
                "t": "done",
                "id": number,
                "parts": [len(part) for part in parts],
                "expires_at": store.put_expires_at,
            },
            b"".join(parts),
        )
        if wish is not None and wish.reason(outcome) is not None:
            self._record(number, wish, traces[0], outcome)

    def _record(self, number: int, wish: Wish, trace: LegTrace, outcome: FlowOutcome) -> None:
        """Send the record of a leg whose outcome is told. What goes wrong concerns the record alone."""
        try:
            text = recorded(wish, trace, outcome)
            self._link.send({"t": "kept", "id": number, "lost": "large" if text is None else ""}, text or b"")
        except UnsendableError:
            self._link.send({"t": "kept", "id": number, "lost": "large"})
        except OSError:
            raise  # the parent is gone
        except Exception:  # noqa: BLE001 - the leg itself ended well
            _log.exception("a record could not be made")
            self._link.send({"t": "kept", "id": number, "lost": "fault"})

    def _refuse(self, number: int, error: Exception) -> None:
        for most in _TEXTS:
            try:
                self._link.send({"t": "refused", "id": number, **_refusal(error, most)})
            except UnsendableError:
                continue
            return
        self._over(number)


def _refusal(error: Exception, most: int) -> dict[str, Any]:
    """The message's members, with texts of at most `most` characters."""

    def cut(text: str) -> str:
        return well_formed(text[:most])

    if isinstance(error, UnknownTriggerError):
        return {"kind": "trigger", "message": cut(error.message), "code": (error.nearest or "")[:200]}
    if isinstance(error, EventError):
        problems = [
            (cut(item.path), cut(item.expected), cut(item.found), item.hint and cut(item.hint))
            for item in error.problems
        ]
        return {"kind": "event", "problems": problems, "total": error.total}
    assert isinstance(error, FlowError | ResumeError | InputError)
    kinds = {FlowError: "flow", ResumeError: "resume", InputError: "record"}
    kind = next(name for family, name in kinds.items() if isinstance(error, family))
    return {
        "kind": kind,
        "code": error.code,
        "message": cut(error.message),
        "next_step": cut(error.next_step),
    }
