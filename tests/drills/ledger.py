"""Clients that change and invoke until the service dies, and a ledger of what it acknowledged.

Each client has an Action of its own and does one thing after the other, so that at most one of its requests
is in doubt when the service dies.
"""

from __future__ import annotations

import copy
import random
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.drills.outage import INVOKE, Answer, call
from tests.drills.rounds import rounds
from tests.e2e.serving import Served
from triggers import get_trigger

SECRET = "the value that is sealed"
REMEMBERED = rounds(10, 40)
"""Answers of earlier rounds that are checked again."""
REDIRECT = "redirect"
CODE = """
// edition {edition}
exports.onExecutePostLogin = async (event, api) => {{
  api.idToken.setCustomClaim("https://drill.example/{name}", event.secrets.K);
  if (event.user.user_id === "redirect") api.redirect.sendUserTo("https://drill.example/ask");
}};
exports.onContinuePostLogin = async (event, api) => {{}};
"""
LATER = """
exports.onExecutePostUserRegistration = async (event) => { console.log(event.user.user_id); };
"""


def code(name: str, edition: int) -> str:
    return CODE.format(name=name, edition=edition)


Handle = tuple[str, str]
"""Of a suspended flow, with the state that its redirect carries."""


def resumed(served: Served, handle: Handle, key: str = "") -> Answer:
    """The answer to a user who comes back."""
    request = {**get_trigger("post-login").example_event["request"], "query": {"state": handle[1]}}
    return call(served, "POST", "/runtime/v1/resume", {"handle": handle[0], "request": request}, key)


@dataclass
class Client:
    """What one client was told.

    Attributes:
        answers: executions by idempotency key, with the body that was sent.
        handles: of suspended flows that were not resumed yet.
        used: handles that were, and what came of it.
        edition, doubtful: of the draft's code, acknowledged and perhaps.
        number: of the deployed version.
    """

    name: str
    action_id: str
    answers: deque[tuple[str, str, Any, Answer]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    unanswered: list[tuple[str, str, Any]] = field(default_factory=list)
    handles: list[Handle] = field(default_factory=list)
    used: deque[tuple[Handle, Answer]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    resuming: list[Handle] = field(default_factory=list)
    edition: int = 0
    doubtful: int = 0
    number: int = 1
    acknowledged: int = 0

    def work(self, served: Served, seed: int, until: float) -> None:
        """Until the service is gone."""
        chance = random.Random(seed)
        deeds = [self.invoke, self.invoke, self.register, self.suspend, self.resume, self.change, self.deploy]
        while time.monotonic() < until and chance.choice(deeds)(served):
            self.acknowledged += 1

    def invoke(self, served: Served, user: str = "someone", trigger: str = "post-login") -> bool:
        """False when the service is gone."""
        body = {"event": copy.deepcopy(get_trigger(trigger).example_event)}
        body["event"]["user"]["user_id"] = user
        key = uuid.uuid4().hex
        answer = call(served, "POST", INVOKE.format(trigger), body, key)
        if answer.status in (200, 202):
            self.answers.append((key, trigger, body, answer))
            suspension = answer.value.get("suspension")
            if suspension:
                self.handles.append((suspension["handle"], suspension["state"]))
            return True
        assert answer.status in (0, 429), answer
        if answer.status == 0:
            self.unanswered.append((key, trigger, body))
        return answer.status != 0

    def register(self, served: Served) -> bool:
        return self.invoke(served, uuid.uuid4().hex, "post-user-registration")

    def suspend(self, served: Served) -> bool:
        return self.invoke(served, REDIRECT)

    def resume(self, served: Served) -> bool:
        if not self.handles:
            return True
        handle = self.handles.pop()
        answer = resumed(served, handle, handle[0])
        if answer.status == 200:
            self.used.append((handle, answer))
            return True
        assert answer.status in (0, 429), answer
        (self.resuming if answer.status == 0 else self.handles).append(handle)
        return answer.status != 0

    def change(self, served: Served) -> bool:
        self.doubtful = self.edition + 1
        answer = call(served, "PATCH", self.path, {"code": code(self.name, self.doubtful)})
        if answer.status != 200:
            assert answer.status == 0, answer
            return False
        self.edition = self.doubtful
        return True

    def deploy(self, served: Served) -> bool:
        answer = call(served, "POST", f"{self.path}/deploy?wait=true")
        if answer.status != 200:
            assert answer.status == 0, answer
            return False
        assert answer.value["number"] == self.number + 1, answer.value
        assert answer.value["code"] == code(self.name, self.edition)
        self.number += 1
        return True

    @property
    def path(self) -> str:
        return f"/api/v2/actions/actions/{self.action_id}"

    # --- after the service came back ---

    def check(self, served: Served) -> None:
        """What was acknowledged is there, once; what was not is there whole or not at all."""
        self._check_action(served)
        for key, trigger, body in self.unanswered:
            first = call(served, "POST", INVOKE.format(trigger), body, key)
            assert first.status in (200, 202), first
            self.answers.append((key, trigger, body, first))
        self.unanswered.clear()
        for key, trigger, body, answer in self.answers:
            again = call(served, "POST", INVOKE.format(trigger), body, key)
            assert (again.status, again.value) == (answer.status, answer.value), "another answer to the same"
            self._check_record(served, answer, body)
        self._check_handles(served)

    def _check_record(self, served: Served, answer: Answer, body: Any) -> None:
        deadline = time.monotonic() + 90
        path = f"/runtime/v1/executions/{answer.value['execution_id']}"
        while True:
            kept = call(served, "GET", path)
            assert kept.status == 200, (answer, kept)
            if kept.value["status"] != "pending":
                break
            assert time.monotonic() < deadline, ("stuck", kept.value)
            time.sleep(0.05)
        results = kept.value["results"]
        if answer.status == 202:
            texts = [line["text"] for result in results for line in result["logs"]]
            assert texts == [body["event"]["user"]["user_id"]], kept.value
        elif body["event"]["user"]["user_id"] != REDIRECT:
            claims = answer.value["effects"]["id_token_claims"]
            assert set(claims.values()) == {SECRET}
            assert len(results) == len(claims), "a result of each Action, once"

    def _check_action(self, served: Served) -> None:
        deadline = time.monotonic() + 60
        while True:
            row = call(served, "GET", self.path).value
            if row["status"] == "built":
                break
            assert row["status"] != "failed", row
            assert time.monotonic() < deadline, ("a build is stuck", row)
            time.sleep(0.05)
        assert row["code"] in (code(self.name, self.edition), code(self.name, self.doubtful))
        self.edition = self.doubtful = int(row["code"].split("edition ")[1].split("\n")[0])
        version = row["deployed_version"]
        assert version["number"] in (self.number, self.number + 1)
        self.number = version["number"]
        assert f'example/{self.name}"' in version["code"]

    def _check_handles(self, served: Served) -> None:
        for handle in self.resuming:
            answer = resumed(served, handle, handle[0])
            # 410: it was killed between taking the handle and answering.
            assert answer.status in (200, 410), answer
            if answer.status == 200:
                self.used.append((handle, answer))
        self.resuming.clear()
        for handle, answer in self.used:
            again = resumed(served, handle, handle[0])
            assert (again.status, again.value) == (200, answer.value), "another answer to the same"
            again = resumed(served, handle)
            assert again.status == 410, ("used twice", again)
        if self.handles:
            assert self.resume(served), "an acknowledged handle is gone"


def employ(served: Served, count: int) -> list[Client]:
    """`count` clients with an Action each, all bound to post-login, and one Action for registrations."""
    api = served.api()
    clients, refs = [], []
    for number in range(count):
        name = f"client-{number}"
        action = _create(served, name, "post-login", "v3", code(name, 0))
        clients.append(Client(name, action))
        refs.append({"ref": {"type": "action_id", "value": action}, "display_name": name})
    later = _create(served, "later", "post-user-registration", "v2", LATER)
    api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": refs})
    refs = [{"ref": {"type": "action_id", "value": later}, "display_name": "later"}]
    api.send("PATCH", "/api/v2/actions/triggers/post-user-registration/bindings", body={"bindings": refs})
    return clients


def _create(served: Served, name: str, trigger: str, version: str, source: str) -> str:
    body = {
        "name": name,
        "code": source,
        "supported_triggers": [{"id": trigger, "version": version}],
        "secrets": [{"name": "K", "value": SECRET}],
    }
    action: str = served.api().send("POST", "/api/v2/actions/actions", body=body).value["id"]
    served.api().send("POST", f"/api/v2/actions/actions/{action}/deploy", query={"wait": True})
    return action


class Binder:
    """Binds one half of the clients or the other, over and over: full replacements."""

    def __init__(self, clients: list[Client]) -> None:
        self._sets = [[item.action_id for item in clients], [item.action_id for item in clients[::-1]]]
        self.bound = self.doubtful = self._sets[0]

    def work(self, served: Served, until: float) -> None:
        """Until the service is gone."""
        while time.monotonic() < until:
            self.doubtful = self._sets[0] if self.bound is self._sets[1] else self._sets[1]
            refs = [{"ref": {"type": "action_id", "value": item}} for item in self.doubtful]
            answer = call(served, "PATCH", "/api/v2/actions/triggers/post-login/bindings", {"bindings": refs})
            if answer.status != 200:
                assert answer.status == 0, answer
                return
            self.bound = self.doubtful
            time.sleep(0.02)

    def check(self, served: Served) -> None:
        """The last acknowledged list holds, or the one that was on its way; never a mixture."""
        found = call(served, "GET", "/api/v2/actions/triggers/post-login/bindings").value["bindings"]
        listed = [item["action"]["id"] for item in found]
        assert listed in (self.bound, self.doubtful)
        self.bound = self.doubtful = self._sets[self._sets.index(listed)]


def all_at_once(
    served: Served, clients: list[Client], binder: Binder, seed: int, until: float
) -> tuple[list[Exception], list[threading.Thread]]:
    """Start everybody; what they found wrong, once they have all ended, is in the list that is returned."""
    wrong: list[Exception] = []

    def guarded(work: Any, *arguments: Any) -> None:
        try:
            work(served, *arguments, until)
        except Exception as error:  # noqa: BLE001 - told to the test
            wrong.append(error)

    threads = [
        threading.Thread(target=guarded, args=(client.work, seed * 100 + number))
        for number, client in enumerate(clients)
    ]
    threads.append(threading.Thread(target=guarded, args=(binder.work,)))
    for thread in threads:
        thread.start()
    return wrong, threads
