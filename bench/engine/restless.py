"""Actions that hang on all that differs from run to run: clocks, chance, requests, their order, caches."""

from __future__ import annotations

import json
import random
import textwrap
import threading
from dataclasses import dataclass, field
from typing import Final

from runner.model.action import Action
from sandbox.core.program import Language, Source
from sandbox.egress.model import Cancel, EgressError, EgressSession, FetchRequest, FetchResponse, Settle

JAVASCRIPT: Final = {
    "clocks": """
        const began = performance.now();
        for (let n = 0; n < 2000; n++) Date.now();
        await new Promise((done) => setTimeout(done, 3));
        api.idToken.setCustomClaim("at", new Date().toISOString());
        console.log(performance.now() - began, Date.now());
        api.user.setUserMetadata("at", Date.now());
    """,
    "chance": """
        api.idToken.setCustomClaim("nonce", crypto.randomUUID() + Math.random());
        const box = new Uint8Array(5);
        crypto.getRandomValues(box);
        api.user.setAppMetadata("box", [...box]);
        if (Math.random() < 0.5) api.access.deny("by chance");
        console.log(require("crypto").randomBytes(8).toString("hex"));
    """,
    "order": """
        const order = [];
        const urls = ["a", "b", "c", "broken", "d"].map((name) => `https://api.example/${name}`);
        const all = await Promise.allSettled(urls.map(async (url) => {
          const reply = await fetch(url);
          order.push(url.at(-1), Date.now());
          return (await reply.json()).n;
        }));
        const first = await Promise.race(urls.slice(0, 2).map((url) => fetch(url).then((r) => r.json())));
        api.idToken.setCustomClaim("order", order.join());
        api.idToken.setCustomClaim("all", JSON.stringify([all, first]));
        console.log(order, first);
    """,
    "limits": """
        let told = "nothing";
        try {
          const reply = await fetch("https://api.example/slow", { signal: AbortSignal.timeout(4) });
          told = (await reply.json()).n;
        } catch (error) { told = error.name; }
        const race = await Promise.race([
          fetch("https://api.example/a").then(() => "answer"),
          new Promise((done) => setTimeout(() => done("timer"), 4)),
        ]);
        api.user.setUserMetadata("told", told);
        api.idToken.setCustomClaim("race", race);
        fetch("https://api.example/hook", { method: "POST", body: JSON.stringify({ at: Date.now() }) });
    """,
    "cache": """
        const before = api.cache.get("visits");
        const visits = Number(before?.value ?? 0) + 1;
        const kept = api.cache.set("visits", String(visits), { ttl: 60000 });
        if (visits % 3 === 0) api.cache.delete("visits");
        const after = api.cache.get("visits");
        api.idToken.setCustomClaim("visits", [visits, before?.expires_at, kept, after]);
        console.log(before, kept, after);
    """,
    "tokens": """
        const token = api.redirect.encodeToken({ secret: event.secrets.KEY, payload: { at: Date.now() } });
        api.authentication.recordMethod("https://method.example");
        if (Math.random() < 0.5) api.redirect.sendUserTo("https://site.example/ask", { query: { token } });
        else api.user.setUserMetadata("token", token);
    """,
    "failing": """
        await fetch("https://api.example/broken").catch(() => console.warn("no answer", Date.now()));
        if (Math.random() < 0.5) throw new Error("at " + Date.now());
        api.access.deny("refused at " + crypto.randomUUID());
    """,
}
PYTHON: Final = {
    "clocks": """
        import asyncio, time, datetime
        began = time.monotonic()
        await asyncio.sleep(0.003)
        print(time.monotonic() - began, time.time(), datetime.datetime.now().isoformat())
        api.id_token.set_custom_claim("at", time.time())
    """,
    "chance": """
        import random, secrets, uuid
        api.id_token.set_custom_claim("nonce", f"{uuid.uuid4()} {secrets.token_hex(4)} {random.random()}")
        if random.random() < 0.5:
            api.access.deny("by chance")
        print({"b", "a", "c"}, hash("text"))
    """,
    "order": """
        import asyncio, time
        order = []
        async def ask(name):
            reply = await fetch(f"https://api.example/{name}")
            order.append((name, reply.json()["n"], time.time()))
            return name
        asks = [ask(name) for name in ("a", "b", "broken", "c")]
        done = await asyncio.gather(*asks, return_exceptions=True)
        try:
            await asyncio.wait_for(fetch("https://api.example/slow"), 0.004)
            order.append("in time")
        except asyncio.TimeoutError:
            order.append("late")
        api.id_token.set_custom_claim("order", str(order))
        print(order, [str(item) for item in done])
    """,
    "cache": """
        import time
        before = api.cache.get("visits")
        visits = int(before["value"] if before else 0) + 1
        kept = api.cache.set("visits", str(visits), expires_at=int(time.time() * 1000) + 9000)
        api.user.set_user_metadata("visits", visits)
        print(before, kept)
    """,
}


def restless() -> list[Action]:
    """All of them."""
    secrets = {"KEY": "a-key-that-is-long-enough-for-hs256-tokens"}
    javascript = (
        (f"{name}-js", Language.JAVASCRIPT, f"exports.onExecutePostLogin = async (event, api) => {{{body}}};")
        for name, body in JAVASCRIPT.items()
    )
    python = (
        (
            f"{name}-py",
            Language.PYTHON,
            "async def on_execute_post_login(event, api):\n" + textwrap.indent(textwrap.dedent(body), "    "),
        )
        for name, body in PYTHON.items()
    )
    return [
        Action(name, Source(language, name, text), secrets=secrets)
        for name, language, text in (*javascript, *python)
    ]


@dataclass
class ChanceEgress:
    """Answers each request after up to `most` seconds with its own number, or with an error.

    Attributes:
        made: requests so far.
    """

    most: float = 0.01
    random: random.Random = field(default_factory=lambda: random.Random(5))
    made: int = 0

    def open(self, deadline: float) -> EgressSession:
        """See `Egress.open`."""
        del deadline
        return self

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        """See `EgressSession.start`."""
        self.made += 1
        body = json.dumps({"n": self.made, "path": request.url.rpartition("/")[2]}).encode()
        answer = FetchResponse(200, "OK", request.url, False, (("content-type", "application/json"),), body)
        outcome = EgressError("connect", "refused") if "broken" in request.url else answer
        timer = threading.Timer(self.random.random() * self.most, lambda: settle(outcome))
        timer.daemon = True
        timer.start()
        return timer.cancel

    def close(self) -> None:
        """See `EgressSession.close`."""
