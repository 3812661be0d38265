"""Failed attempts: tells the fraud team of wrong credentials, and closes the door after too many.

Ten wrong credentials for one identifier within a quarter of an hour are enough: from then on a right one
is refused as well, which nobody can tell from a wrong one. The cache of a trigger has room for 20
identifiers; attempts on many accounts are for the fraud team to see. Reports never decide: a fraud service
that is down changes nothing.

Trigger: post-credential-validation
Secrets:
  FRAUD_URL  where reports go
"""

import hashlib
import json

MOST = 10
QUARTER_OF_AN_HOUR_MS = 15 * 60 * 1000


def place(identifier):
    """A key of the cache: short, and no address in clear."""
    return "failed:" + hashlib.sha256(identifier.lower().encode()).hexdigest()[:32]


async def report(event, attempts):
    methods = event.authentication.methods if event.authentication else []
    message = {
        "identifier": event.credential.identifier,
        "ip": event.request.ip,
        "method": methods[0].name if methods else None,
        "attempts": attempts,
    }
    try:
        await fetch(f"{event.secrets.FRAUD_URL}/attempts", method="POST", json=message, timeout=1)
    except OSError as error:
        print("not reported:", error)


async def on_execute_post_credential_validation(event, api):
    key = place(event.credential.identifier)
    kept = api.cache.get(key)
    attempts = json.loads(kept.value) if kept else 0

    if not event.credential.valid:
        api.cache.set(key, json.dumps(attempts + 1), ttl=QUARTER_OF_AN_HOUR_MS)
        await report(event, attempts + 1)
    elif attempts >= MOST:
        api.authentication.deny(reason=f"{attempts} wrong credentials within a quarter of an hour")
