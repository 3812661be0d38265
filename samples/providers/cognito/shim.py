"""AWS Lambda for the triggers of a Cognito user pool: hands them to actionbox. Handler: `shim.handler`.

Environment: ACTIONBOX_URL, ACTIONBOX_TENANT, ACTIONBOX_CLIENT_ID, ACTIONBOX_CLIENT_SECRET. What is raised
here ends the operation in Cognito, so everything but an outcome that it can carry whole is raised.
"""

import json
import os
import time
from urllib.request import Request, urlopen

SECONDS = 4  # Cognito waits 5
EMPTY = ({}, [], (), None, "")
CARRIED = {"id_token_claims", "access_token_claims", "scopes_added", "scopes_removed"}
HARMLESS = {"decision", "denial", "dropped_claims", "warnings", "transaction_metadata"}
_token = {"value": "", "until": 0.0}


def handler(event, _context=None):
    source = event["triggerSource"]
    machine = source == "TokenGeneration_ClientCredentials"
    if source.startswith("PreSignUp_"):
        run("pre-user-registration", event, set())
    elif source == "PostConfirmation_ConfirmSignUp":
        run("post-user-registration", event, set())
    elif source == "PostConfirmation_ConfirmForgotPassword":
        run("post-change-password", event, set())
    elif source.startswith("TokenGeneration_"):
        first = event["version"] == "1"
        carried = {"id_token_claims"} if first else CARRIED
        effects = run("credentials-exchange" if machine else "post-login", event, carried)
        event["response"] = version_1(effects) if first else version_2(effects)
    return event


def run(trigger, event, carried):
    """The effects. Raises what ends the operation in Cognito."""
    outcome = call(f"/runtime/v1/triggers/{trigger}/invoke", {"event": as_event(trigger, event)}, token())
    if "decision" not in outcome:
        return {}  # it is stored, and runs later
    if outcome["decision"] == "deny":
        raise PermissionError((outcome["effects"]["denial"] or {}).get("reason") or "Access was denied.")
    if outcome["decision"] != "allow":
        raise RuntimeError("This needs a step that cannot be shown here, or an Action failed.")
    asked = {name for name, value in outcome["effects"].items() if value not in EMPTY}
    lost = {name for name in asked - carried - HARMLESS if not nothing(outcome["effects"][name])}
    if lost:
        raise RuntimeError(f"Cognito cannot carry {', '.join(sorted(lost))}.")
    return outcome["effects"]


def nothing(value):
    """Nested effects of which none was asked for."""
    return isinstance(value, dict) and all(item in EMPTY or item is False for item in value.values())


def version_1(effects):
    claims = {name: text(value) for name, value in effects["id_token_claims"].items()}
    return {"claimsOverrideDetails": {"claimsToAddOrOverride": claims}}


def version_2(effects):
    return {
        "claimsAndScopeOverrideDetails": {
            "idTokenGeneration": {"claimsToAddOrOverride": effects["id_token_claims"]},
            "accessTokenGeneration": {
                "claimsToAddOrOverride": effects["access_token_claims"],
                "scopesToAdd": list(effects["scopes_added"]),
                "scopesToSuppress": list(effects["scopes_removed"]),
            },
        }
    }


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def as_event(trigger, event):
    given, client = event["request"], event["callerContext"]["clientId"]
    user = given.get("userAttributes") or {}
    made = {
        "tenant": {"id": os.environ["ACTIONBOX_TENANT"]},
        "request": {"geoip": {}, "ip": "", "method": "POST", "body": given.get("clientMetadata") or {}},
        "connection": {"id": event["userPoolId"], "name": event["userPoolId"], "strategy": "auth0"},
        "client": {"client_id": client, "name": client, "metadata": {}},
        "hook": {"provider": "cognito", "name": event["triggerSource"]},
    }
    known = {
        "email": user.get("email"),
        "name": user.get("name"),
        "given_name": user.get("given_name"),
        "family_name": user.get("family_name"),
        "phone_number": user.get("phone_number"),
        "username": event.get("userName"),
    }
    known = {name: value for name, value in known.items() if value}
    if trigger == "pre-user-registration":
        return made | {"user": known | {"user_metadata": {}, "app_metadata": {}}}
    if trigger == "post-change-password":
        del made["client"]
        known = {name: value for name, value in known.items() if name in ("email", "username")}
        return made | {"user": known | {"user_id": user["sub"]}}
    if trigger == "credentials-exchange":
        del made["connection"]
        made |= {"accessToken": {"customClaims": {}, "scope": given.get("scopes") or []}}
        made |= {"resource_server": {"identifier": event["userPoolId"]}}
        return made | {"transaction": {"requested_scopes": given.get("scopes") or []}}
    moment = "1970-01-01T00:00:00.000Z"  # Cognito does not say when
    made["user"] = known | {
        "user_id": user["sub"],
        "email_verified": user.get("email_verified") == "true",
        "created_at": moment,
        "updated_at": moment,
        "app_metadata": {},
        "user_metadata": {},
        "identities": [],
    }
    if trigger == "post-user-registration":
        del made["client"]
        return made
    made["request"]["query"] = {}
    groups = (given.get("groupConfiguration") or {}).get("groupsToOverride") or []
    return made | {
        "authentication": {"methods": []},
        "authorization": {"roles": groups},
        "stats": {"logins_count": 0},
        "transaction": {"protocol": "oidc-basic-profile", "requested_scopes": given.get("scopes") or []},
    }


def token():
    if _token["until"] < time.time():
        url = os.environ["ACTIONBOX_URL"]
        asked = {
            "grant_type": "client_credentials",
            "client_id": os.environ["ACTIONBOX_CLIENT_ID"],
            "client_secret": os.environ["ACTIONBOX_CLIENT_SECRET"],
            "audience": f"{url}/runtime/v1/",
        }
        found = call("/oauth/token", asked)
        _token.update(value=found["access_token"], until=time.time() + found["expires_in"] - 60)
    return _token["value"]


def call(path, body, bearer=""):
    """JSON of an answer. Raises `OSError` for every status but 2xx, and when there is none in time."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    request = Request(os.environ["ACTIONBOX_URL"] + path, json.dumps(body).encode(), headers)
    with urlopen(request, timeout=SECONDS) as answer:
        return json.load(answer)
