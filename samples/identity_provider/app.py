"""The provider's web application: signup, login, token and password-reset endpoints."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from html import escape
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.concurrency import run_in_threadpool

from actionbox import RuntimeClient, ServiceError
from samples.identity_provider.flows import Flows, Refused, Step, Transaction, apply_metadata
from samples.identity_provider.people import People, Person

Text = Annotated[str, Form()]


@dataclass(frozen=True)
class Application:
    """A client of the provider. `scopes`: what its own tokens may carry."""

    client_id: str
    client_secret: str
    name: str
    redirect_uri: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()

    def as_event(self) -> dict[str, Any]:
        return {"client_id": self.client_id, "name": self.name, "metadata": self.metadata}


@dataclass
class Provider:
    """State of one running provider; everything is in memory."""

    client: RuntimeClient
    issuer: str
    tenant: str
    applications: dict[str, Application]
    people: People = field(default_factory=People)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "1", "use": "sig"}))
    waiting: dict[str, Transaction] = field(default_factory=dict)
    codes: dict[str, tuple[Person, dict[str, str], Step]] = field(default_factory=dict)
    mailed: dict[str, str] = field(default_factory=dict)
    """What a mailbox would hold: reset codes by e-mail address."""

    def __post_init__(self) -> None:
        self.flows = Flows(self.client, self.tenant)

    def sign(self, claims: dict[str, Any], audience: str, subject: str) -> str:
        now = int(time.time())
        standard = {"iss": self.issuer, "sub": subject, "aud": audience, "iat": now, "exp": now + 3600}
        return jwt.encode({"alg": "RS256", "kid": "1"}, {**claims, **standard}, self.key)


def make_app(provider: Provider) -> FastAPI:
    """The application of `provider`."""
    app = FastAPI(title="Sample identity provider", docs_url=None, redoc_url=None)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(ServiceError, _unavailable)
    _signup(app, provider)
    _login(app, provider)
    _token(app, provider)
    _reset(app, provider)
    return app


def _signup(app: FastAPI, provider: Provider) -> None:
    @app.post("/signup", status_code=201)
    def signup(request: Request, email: Text, password: Text, client_id: Text) -> Any:
        about = _about(request, {"email": email})
        application = provider.applications[client_id]
        outcome = provider.flows.before_signup(email, about, application.as_event())
        person = provider.people.add(email, password)
        apply_metadata(person, outcome)
        execution = provider.flows.after_signup(person, about)
        return {"user_id": person.user_id, "user_metadata": person.user_metadata, "execution_id": execution}


def _login(app: FastAPI, provider: Provider) -> None:
    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        return HTMLResponse(_login_page(dict(request.query_params)))

    @app.post("/login")
    async def login(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        about = _about(request, query={name: form[name] for name in ("client_id", "scope") if name in form})
        return await run_in_threadpool(_log_in, provider, form, about)

    @app.get("/continue")
    def back(request: Request) -> Response:
        transaction = _transaction(provider, request)
        step = provider.flows.came_back(transaction, _about(request, query=dict(request.query_params)))
        return _next(provider, transaction, step)

    @app.post("/mfa")
    def mfa(request: Request, code: Text) -> Response:
        transaction = _transaction(provider, request)
        step = provider.flows.challenged(transaction, passed=transaction.person.passes(code))
        return _next(provider, transaction, step)


def _log_in(provider: Provider, form: dict[str, str], about: dict[str, Any]) -> Response:
    application = provider.applications[form["client_id"]].as_event()
    identifier = form.get("email", "")
    person, valid = provider.people.check(identifier, form.get("password", ""))
    metadata = provider.flows.may_go_on(identifier, person, about, application, valid=valid)
    if person is None or metadata is None:
        return HTMLResponse(_login_page(form, "Wrong e-mail address or password."), 401)
    transaction, step = provider.flows.login(person, about, application, form, metadata=metadata)
    return _next(provider, transaction, step)


def _next(provider: Provider, transaction: Transaction, step: Step) -> Response:
    """Send the browser on; while a flow waits, a cookie names the transaction."""
    if step.kind == "done" and transaction.kind == "login":
        provider.waiting.pop(transaction.id, None)
        response = _finished(provider, transaction, step)
        response.delete_cookie("transaction")
        return response
    provider.waiting[transaction.id] = transaction
    response = _waiting_page(step)
    response.set_cookie("transaction", transaction.id, httponly=True, samesite="lax")
    return response


def _waiting_page(step: Step) -> Response:
    if step.kind == "redirect":
        return RedirectResponse(step.url, 302)
    action, field = ("/mfa", "code") if step.kind == "challenge" else ("/reset/password", "password")
    return HTMLResponse(_page(action, field))


def _finished(provider: Provider, transaction: Transaction, step: Step) -> Response:
    transaction.person.logins += 1
    code = secrets.token_urlsafe(24)
    provider.codes[code] = (transaction.person, transaction.parameters, step)
    query = {"code": code, "state": transaction.parameters.get("state", "")}
    return RedirectResponse(f"{transaction.parameters['redirect_uri']}?{urlencode(query)}", 302)


def _token(app: FastAPI, provider: Provider) -> None:
    @app.post("/oauth/token")
    def token(
        request: Request,
        grant_type: Text,
        client_id: Text,
        client_secret: Text,
        code: Text = "",
        audience: Text = "",
        scope: Text = "",
    ) -> Any:
        application = provider.applications.get(client_id)
        if application is None or not secrets.compare_digest(application.client_secret, client_secret):
            return JSONResponse({"error": "invalid_client"}, 401)
        if grant_type == "client_credentials":
            about = _about(request, {"grant_type": grant_type, "audience": audience, "scope": scope})
            return _machine_token(provider, application, audience, scope, about)
        found = provider.codes.pop(code, None)
        if found is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return _user_tokens(provider, application, *found)


def _machine_token(
    provider: Provider, application: Application, audience: str, scope: str, about: dict[str, Any]
) -> dict[str, Any]:
    asked = [name for name in scope.split() if name in application.scopes] or list(application.scopes)
    outcome = provider.flows.machine_token(application.as_event(), audience, asked, about)
    effects = outcome.effects
    granted = effects.target_scopes if effects.target_scopes is not None else asked
    claims = {**effects.access_token_claims, "scope": " ".join(granted)}
    subject = f"{application.client_id}@clients"
    return {"access_token": provider.sign(claims, audience, subject), "token_type": "Bearer"}


def _user_tokens(
    provider: Provider, application: Application, person: Person, parameters: dict[str, str], step: Step
) -> dict[str, Any]:
    assert step.outcome is not None
    effects = step.outcome.effects
    return {
        "id_token": provider.sign(
            {**effects.id_token_claims, "email": person.email}, application.client_id, person.user_id
        ),
        "access_token": provider.sign(
            {**effects.access_token_claims, "scope": parameters.get("scope", "openid")},
            parameters.get("audience", provider.issuer),
            person.user_id,
        ),
        "token_type": "Bearer",
    }


def _reset(app: FastAPI, provider: Provider) -> None:
    @app.post("/reset")
    def begin(email: Text) -> Any:
        if provider.people.find(email) is not None:
            provider.mailed[email] = secrets.token_urlsafe(8)
        return {"message": "If the address is known, a code is on its way."}

    @app.post("/reset/challenge")
    def challenge(request: Request, email: Text, code: Text, client_id: Text) -> Response:
        person = provider.people.find(email)
        if person is None or not secrets.compare_digest(provider.mailed.pop(email, ""), code):
            raise Refused("access_denied", "the code is wrong")
        application = provider.applications[client_id]
        transaction, step = provider.flows.reset(
            person, _about(request, {"email": email}), application.as_event()
        )
        return _next(provider, transaction, step)

    @app.post("/reset/password")
    def change(request: Request, password: Text) -> Any:
        transaction = _transaction(provider, request)
        if transaction.kind != "reset":
            raise Refused("access_denied", "there is no password reset under way")
        del provider.waiting[transaction.id]
        transaction.person.set_password(password)
        execution = provider.flows.password_changed(transaction.person, _about(request, {}))
        return {"message": "The password was changed.", "execution_id": execution}


def _transaction(provider: Provider, request: Request) -> Transaction:
    found = provider.waiting.get(request.cookies.get("transaction", ""))
    if found is None:
        raise Refused("invalid_request", "there is no transaction to go on with")
    return found


def _about(
    request: Request, body: dict[str, Any] | None = None, query: dict[str, str] | None = None
) -> dict[str, Any]:
    """`event.request`."""
    return {
        "ip": request.client.host if request.client else "127.0.0.1",
        "hostname": request.url.hostname or "localhost",
        "method": request.method,
        "user_agent": request.headers.get("user-agent", ""),
        "language": "en",
        "geoip": {},
        "query": query or {},
        "body": body or {},
    }


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"error": error.code, "error_description": error.user_message}, 403)


def _unavailable(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    status = 400 if 400 <= error.status < 500 and error.status != 429 else 503
    return JSONResponse({"error": error.code, "error_description": error.message}, status)


def _page(action: str, name: str) -> str:
    return f'<form method="post" action="{action}"><input name="{name}"><button>Go on</button></form>'


def _login_page(parameters: dict[str, str], problem: str = "") -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in parameters.items()
        if name not in ("email", "password")
    )
    fields = '<input name="email"><input name="password" type="password"><button>Log in</button>'
    return f'<p>{escape(problem)}</p><form method="post" action="/login">{hidden}{fields}</form>'
