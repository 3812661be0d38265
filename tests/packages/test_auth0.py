"""The auth0 SDK in every major version that scripts use, against a local tenant."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.packages import keys
from tests.packages.actions import run, value_of
from tests.packages.site import Answer, Asked, Site

DOMAIN = "tenant.eu.auth0.com"
ROOT = f"https://{DOMAIN}"
API = f"{ROOT}/api/v2"
USER = {"user_id": "auth0|1", "email": "a@example.com", "app_metadata": {"plan": "free"}}


def token(asked: Asked) -> Answer:
    form = asked.json if asked.headers["content-type"].startswith("application/json") else asked.form
    if form["grant_type"] == "client_credentials":
        assert (form["client_id"], form["client_secret"]) == ("id", "secret"), form
        return Answer({"access_token": "management-token", "token_type": "Bearer", "expires_in": 86400})
    if form["grant_type"].endswith("passwordless/otp") and form["otp"] != "123456":
        return Answer({"error": "invalid_grant", "error_description": "Wrong code."}, status=403)
    now = int(time.time())
    claims = {"iss": f"{ROOT}/", "aud": "id", "sub": USER["user_id"], "iat": now, "exp": now + 60}
    return Answer(
        {"access_token": f"at-{form['grant_type']}", "id_token": keys.sign(claims), "expires_in": 60,
         "token_type": "Bearer", "refresh_token": "rt"}
    )  # fmt: skip


def roles(asked: Asked) -> Any:
    listed = [{"id": "rol_1", "name": "admin"}]
    if asked.query.get("include_totals") != "true":
        return listed
    return {"roles": listed, "start": 0, "limit": 50, "total": 1}


def guarded(answer: Any, status: int = 200) -> Any:
    """An answer for who shows the token."""

    def route(asked: Asked) -> Answer:
        if asked.headers.get("authorization") != "Bearer management-token":
            return Answer(
                {"statusCode": 401, "error": "Unauthorized", "message": "Invalid token"}, status=401
            )
        return Answer(answer(asked) if callable(answer) else answer, status=status)

    return route


@pytest.fixture
def tenant(site: Site) -> Site:
    site.on("POST", f"{ROOT}/oauth/token", token)
    for user in ("auth0%7C1", "auth0|1"):
        site.on("GET", f"{API}/users/{user}", guarded(USER))
        site.on("PATCH", f"{API}/users/{user}", guarded(lambda asked: USER | asked.json))
        site.on("GET", f"{API}/users/{user}/roles", guarded(roles))
        site.on("POST", f"{API}/users/{user}/roles", guarded(None, 204))
        site.on("POST", f"{API}/users/{user}/identities", guarded([{"provider": "google", "user_id": "2"}]))
        site.on("DELETE", f"{API}/users/{user}/multifactor/guardian", guarded(None, 204))
    site.on("GET", f"{API}/users-by-email", guarded(lambda asked: [USER | {"asked": asked.query["email"]}]))
    site.on("GET", f"{API}/users", guarded([USER]))
    found = {
        "statusCode": 404,
        "error": "Not Found",
        "message": "The user does not exist.",
        "errorCode": "inexistent_user",
    }
    for user in ("auth0%7C9", "auth0|9"):
        site.on("GET", f"{API}/users/{user}", guarded(found, 404))
    site.on("POST", f"{API}/jobs/verification-email", guarded({"id": "job_1", "status": "pending"}, 201))
    site.on("GET", f"{API}/clients", guarded([{"client_id": "c1"}]))
    site.on("POST", f"{ROOT}/passwordless/start", json={"_id": "1", "email": "a@example.com"})
    site.on("POST", f"{ROOT}/dbconnections/change_password", text="We've just sent you an email.")
    site.on("POST", f"{ROOT}/dbconnections/signup", json={"_id": "7", "email": "b@example.com"})
    site.on("GET", f"{ROOT}/userinfo", json={"sub": USER["user_id"]})
    site.on("GET", f"{ROOT}/.well-known/jwks.json", json=keys.jwks())
    return site


OPTIONS = "{ domain: 'tenant.eu.auth0.com', clientId: 'id', clientSecret: 'secret' }"

OLD = f"""
const {{ ManagementClient, AuthenticationClient }} = require('auth0');
const management = new ManagementClient({{ ...{OPTIONS}, scope: 'read:users update:users' }});
const user = await management.getUser({{ id: 'auth0|1' }});
const byMail = await management.getUsersByEmail('a@example.com');
const changed = await management.updateAppMetadata({{ id: 'auth0|1' }}, {{ plan: 'pro' }});
const roles = await management.getUserRoles({{ id: 'auth0|1' }});
await management.assignRolestoUser({{ id: 'auth0|1' }}, {{ roles: ['rol_1'] }});
const linked = await management.linkUsers('auth0|1', {{ user_id: 'google|2', provider: 'google' }});
let missing; try {{ await management.getUser({{ id: 'auth0|9' }}); }} catch (e) {{ missing = [e.statusCode, e.message]; }}
const viaCallback = await new Promise((done, fail) =>
  management.getUsers({{ q: 'x' }}, (e, users) => (e ? fail(e) : done(users.length))));
const authentication = new AuthenticationClient({OPTIONS});
const granted = await authentication.clientCredentialsGrant({{ audience: 'https://tenant.eu.auth0.com/api/v2/' }});
const direct = new ManagementClient({{ token: granted.access_token, domain: 'tenant.eu.auth0.com' }});
const clients = await direct.getClients();
await authentication.requestChangePasswordEmail({{ email: 'a@example.com', connection: 'db' }});
const info = await authentication.getProfile('at');
return [user.email, byMail[0].asked, changed.app_metadata.plan, roles[0].name, linked[0].user_id, missing, viaCallback,
  granted.access_token, clients[0].client_id, info.sub];
"""
OLD_EXPECTED = [
    "a@example.com", "a@example.com", "pro", "admin", "2", [404, "The user does not exist."], 1,
    "management-token", "c1", "auth0|1",
]  # fmt: skip


@pytest.mark.parametrize("version", ["3.7.2", "2.44.1"])
def test_management_and_authentication_in_versions_2_and_3(tenant: Site, version: str) -> None:
    assert value_of(OLD, f"auth0@{version}", egress=tenant) == OLD_EXPECTED
    grants = [asked for asked in tenant.asked if asked.path == "/oauth/token"]
    assert len(grants) == 2  # the ManagementClient keeps its token


UNAWAITED = {
    "callback": "management.updateUser({ id: 'auth0|1' }, { app_metadata: { plan: 'pro' } }, (error) => done(error));",
    "promise": "management.updateUser({ id: 'auth0|1' }, { app_metadata: { plan: 'pro' } }).then(done, done);",
    "two in turn": "management.getUser({ id: 'auth0|1' }, () => management.updateUser({ id: 'auth0|1' }, "
    "{ app_metadata: { plan: 'pro' } }, (error) => done(error)));",
}


@pytest.mark.parametrize("version", ["3.7.2", "2.44.1"])
@pytest.mark.parametrize("name", UNAWAITED)
def test_calls_that_nobody_awaits_reach_the_tenant(
    tenant: Site, monkeypatch: pytest.MonkeyPatch, version: str, name: str
) -> None:
    monkeypatch.setattr("sandbox.javascript.run.LINGER_JOBS_MS", 5_000)  # for busy machines
    monkeypatch.setattr("sandbox.port.drain.LINGER_MS", 5_000)
    text = f"""const {{ ManagementClient }} = require('auth0');
        exports.onExecutePostLogin = (event, api) => {{
          const management = new ManagementClient({{ ...{OPTIONS}, scope: 'update:users' }});
          const done = (found) => {{ console.log('late', found); api.access.deny('late'); }};
          {UNAWAITED[name]}
        }};"""
    ran = run(text, f"auth0@{version}", egress=tenant)
    assert ran.result.failure is None
    assert (ran.log, ran.commands) == ([], [])
    patched = [asked.json for asked in tenant.asked if asked.method == "PATCH"]
    assert patched == [{"app_metadata": {"plan": "pro"}}]


V4 = f"""
const {{ ManagementClient }} = require('auth0');
const management = new ManagementClient({OPTIONS});
const {{ data: user }} = await management.users.get({{ id: 'auth0|1' }});
const {{ data: byMail }} = await management.usersByEmail.getByEmail({{ email: 'a@example.com' }});
const {{ data: changed }} = await management.users.update({{ id: 'auth0|1' }}, {{ app_metadata: {{ plan: 'pro' }} }});
const {{ data: roles }} = await management.users.getRoles({{ id: 'auth0|1' }});
await management.users.assignRoles({{ id: 'auth0|1' }}, {{ roles: ['rol_1'] }});
const {{ data: linked }} = await management.users.link({{ id: 'auth0|1' }}, {{ user_id: 'google|2', provider: 'google' }});
const {{ data: job }} = await management.jobs.verifyEmail({{ user_id: 'auth0|1' }});
let missing; try {{ await management.users.get({{ id: 'auth0|9' }}); }} catch (e) {{ missing = [e.statusCode, e.msg ?? e.message]; }}
"""
V5 = f"""
const {{ ManagementClient }} = require('auth0');
const management = new ManagementClient({OPTIONS});
const user = await management.users.get('auth0|1');
const byMail = await management.users.listUsersByEmail({{ email: 'a@example.com' }});
const changed = await management.users.update('auth0|1', {{ app_metadata: {{ plan: 'pro' }} }});
const roles = (await management.users.roles.list('auth0|1')).data;
await management.users.roles.assign('auth0|1', {{ roles: ['rol_1'] }});
const linked = await management.users.identities.link('auth0|1', {{ user_id: 'google|2', provider: 'google' }});
const job = await management.jobs.verificationEmail.create({{ user_id: 'auth0|1' }});
let missing; try {{ await management.users.get('auth0|9', {{}}, {{ maxRetries: 0 }}); }} catch (e) {{
  missing = [e.statusCode, e.body.message]; }}
"""
RETURN = """
return [user.email, byMail[0].asked, changed.app_metadata.plan, roles[0].name, linked[0].user_id,
  job.id, missing];
"""
EXPECTED = ["a@example.com", "a@example.com", "pro", "admin", "2", "job_1", [404, "The user does not exist."]]


@pytest.mark.parametrize(
    ("version", "body"), [("4.37.1", V4), ("5.14.1", V5), ("7.1.0", V5)], ids=["4", "5", "7"]
)
def test_management(tenant: Site, version: str, body: str) -> None:
    assert value_of(body + RETURN, f"auth0@{version}", egress=tenant) == EXPECTED
    asked = [item for item in tenant.asked if item.path == "/oauth/token"]
    assert len(asked) == 1
    assert tenant.asked[1].headers["auth0-client"]


AUTHENTICATION = f"""
const {{ AuthenticationClient, UserInfoClient }} = require('auth0');
const auth0 = new AuthenticationClient({OPTIONS});
const {{ data: machine }} = await auth0.oauth.clientCredentialsGrant({{ audience: 'https://api.example' }});
const {{ data: code }} = await auth0.oauth.authorizationCodeGrant({{ code: 'abc', redirect_uri: 'https://app.example/cb' }});
const {{ data: fresh }} = await auth0.oauth.refreshTokenGrant({{ refresh_token: 'rt' }});
await auth0.passwordless.sendEmail({{ email: 'a@example.com', send: 'code' }});
const {{ data: otp }} = await auth0.passwordless.loginWithEmail({{ email: 'a@example.com', code: '123456' }});
let wrong; try {{ await auth0.passwordless.loginWithEmail({{ email: 'a@example.com', code: '1' }}); }}
catch (e) {{ wrong = [e.statusCode, e.error, e.error_description]; }}
const {{ data: said }} = await auth0.database.changePassword({{ email: 'a@example.com', connection: 'db' }});
const {{ data: signed }} = await auth0.database.signUp({{ email: 'b@example.com', password: 'p', connection: 'db' }});
const {{ data: info }} = await new UserInfoClient({{ domain: 'tenant.eu.auth0.com' }}).getUserInfo('at');
return [machine.access_token, code.access_token, fresh.access_token, otp.access_token.slice(0, 8), wrong,
  String(said).slice(0, 5), signed.email, info.sub];
"""


@pytest.mark.parametrize("version", ["7.1.0", "5.14.1", "4.37.1"])
def test_authentication(tenant: Site, version: str) -> None:
    # As of version 7 the package itself says to take it from there.
    body = AUTHENTICATION.replace("'auth0'", "'auth0/legacy'") if version == "7.1.0" else AUTHENTICATION
    assert value_of(body, f"auth0@{version}", egress=tenant) == [
        "management-token", "at-authorization_code", "at-refresh_token", "at-http:",
        [403, "invalid_grant", "Wrong code."], "We've", "b@example.com", "auth0|1",
    ]  # fmt: skip
