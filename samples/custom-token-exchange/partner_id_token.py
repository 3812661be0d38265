"""Partner ID token: takes an ID token of a partner's identity provider and gives tokens of ours for it.

The partner signs with keys that it publishes and changes when it likes; the token's header says which one.
The token has to be for us, of the partner, and not over. What is wrong with it goes to the log in detail, the
caller hears the kind of error only.

Trigger: custom-token-exchange
Secrets:
  PARTNER_ISSUER      `iss` of the partner's tokens; its keys are at /.well-known/jwks.json below it
  PARTNER_CONNECTION  connection in which the partner's people live
"""

import jwt

AUDIENCE = "https://harbor.example/partners"
ALGORITHMS = ["RS256", "ES256"]


def verified(token, issuer):
    """The claims. Raises jwt.PyJWTError for whatever is wrong with the token or its key."""
    keys = jwt.PyJWKClient(f"{issuer}.well-known/jwks.json", timeout=3)
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=ALGORITHMS,
        audience=AUDIENCE,
        issuer=issuer,
        leeway=30,
        options={"require": ["exp", "sub"]},
    )


async def on_execute_custom_token_exchange(event, api):
    try:
        person = verified(event.transaction.subject_token, event.secrets.PARTNER_ISSUER)
    except jwt.PyJWKClientConnectionError as error:
        print("no keys:", error)
        api.access.deny("server_error", "The partner's keys cannot be had; try again.")
        return
    except jwt.PyJWTError as error:
        print("refused:", type(error).__name__, error)
        api.access.reject_invalid_subject_token(f"Not a valid ID token: {type(error).__name__}")
        return

    api.authentication.set_user_by_connection(
        event.secrets.PARTNER_CONNECTION,
        {"user_id": person["sub"], "email": person["email"], "email_verified": person["email_verified"]},
        creation_behavior="create_if_not_exists",
        update_behavior="none",
    )
