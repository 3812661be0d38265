"""Partner assertion: takes a partner's signed statement about a person and gives tokens for it.

The subject token is `<payload>.<signature>`: base64url JSON and its HMAC-SHA256. The person is created
in a connection of its own at the first visit. An agent that acts for the person is named in the token.

Trigger: custom-token-exchange
Secrets:
  PARTNER_KEY         shared key of the signature
  PARTNER_CONNECTION  connection in which the partner's people live
"""

import base64
import hashlib
import hmac
import json
import time


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verified(token, key):
    payload, dot, signature = token.partition(".")
    expected = hmac.new(key.encode(), payload.encode(), hashlib.sha256).digest()
    if not dot or not hmac.compare_digest(decode(signature), expected):
        raise ValueError("signature does not match")
    person = json.loads(decode(payload))
    if person["exp"] < time.time():
        raise ValueError("statement has expired")
    return person


async def on_execute_custom_token_exchange(event, api):
    try:
        person = verified(event.transaction.subject_token, event.secrets.PARTNER_KEY)
    except (ValueError, KeyError) as error:
        print("refused:", error)
        api.access.reject_invalid_subject_token(f"Not a valid statement: {error}")
        return

    api.authentication.set_user_by_connection(
        event.secrets.PARTNER_CONNECTION,
        {"user_id": person["id"], "email": person["email"], "email_verified": True, "name": person["name"]},
        creation_behavior="create_if_not_exists",
        update_behavior="none",
    )
    if "organization" in person:
        api.authentication.set_organization(person["organization"])
    if "agent" in person:
        api.authentication.set_actor({"sub": person["agent"], "kind": "partner-agent"})
