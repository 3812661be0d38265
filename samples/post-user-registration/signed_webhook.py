"""Signed webhook: tells another company of a new user, in a way that it can prove and we can deny to nobody.

The message is a token signed with our private key (RS256); the receiver has the public one. It says what
happened, to whom, when, and for whom it is; the receiver takes each `jti` once.

Trigger: post-user-registration
Secrets:
  WEBHOOK_URL  where the message goes
  SIGNING_KEY  our RSA private key, as PEM
"""

import hashlib
import time
from urllib.parse import urlsplit

import jwt

LIFETIME = 300


async def on_execute_post_user_registration(event, api):
    url, now = event.secrets.WEBHOOK_URL, int(time.time())
    message = {
        "iss": "https://harbor.example/",
        "aud": f"https://{urlsplit(url).hostname}/",
        "sub": event.user.user_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": hashlib.sha256(f"registered {event.user.user_id}".encode()).hexdigest()[:32],
        "https://harbor.example/event": {"type": "user.registered", "connection": event.connection.name},
    }
    token = jwt.encode(message, event.secrets.SIGNING_KEY, algorithm="RS256", headers={"kid": "2025-03"})
    response = await fetch(
        url, method="POST", data=token, headers={"content-type": "application/jwt"}, timeout=5
    )
    response.raise_for_status()
    print("told", message["aud"])
