"""SDKs of services, used as their own documentation uses them, against a stand-in for the service."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.packages.actions import value_of
from tests.packages.site import Answer, Asked, Site

TWILIO = "https://api.twilio.com/2010-04-01/Accounts/AC1234/Messages.json"
BASIC = "Basic " + base64.b64encode(b"AC1234:token").decode()


@pytest.mark.parametrize("version", ["6.2.0", "5.13.1", "4.23.0", "3.84.1"])
def test_twilio(site: Site, version: str) -> None:
    def messages(asked: Asked) -> Answer:
        if asked.headers.get("authorization") != BASIC:
            return Answer({"code": 20003, "message": "Authenticate", "status": 401}, status=401)
        if asked.form["To"] == "+1":
            return Answer({"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}, status=400)
        return Answer(
            {"sid": "SM1", "body": asked.form["Body"], "to": asked.form["To"], "status": "queued"}, status=201
        )

    verify = "https://verify.twilio.com/v2/Services/VA1"
    site.on("POST", TWILIO, messages)
    site.on("POST", f"{verify}/Verifications", json={"sid": "VE1", "status": "pending"}, status=201)
    site.on(
        "POST",
        f"{verify}/VerificationCheck",
        json={"sid": "VE1", "status": "approved", "valid": True},
        status=201,
    )
    site.on(
        "GET",
        "https://lookups.twilio.com/v2/PhoneNumbers/%2B4670",
        json={"valid": True, "country_code": "SE"},
    )
    body = """
const twilio = require('twilio'); const client = twilio('AC1234', 'token');
const message = await client.messages.create({ body: 'Hello from twilio-node', to: '+12345678901', from: '+12345678902' });
let wrong; try { await client.messages.create({ body: 'x', to: '+1', from: '+2' }); }
catch (e) { wrong = [e.name, e.status, e.code, e.message]; }
const sent = await client.verify.v2.services('VA1').verifications.create({ to: '+4670', channel: 'sms' });
const checked = await client.verify.v2.services('VA1').verificationChecks.create({ to: '+4670', code: '123' });
const viaThen = await client.messages.create({ body: 'y', to: '+3', from: '+2' }).then((m) => m.body);
const twiml = new twilio.twiml.MessagingResponse(); twiml.message('hi');
const token = new twilio.jwt.AccessToken('AC1234', 'SK1', 'secret', { identity: 'me' });
const valid = twilio.validateRequest('secret', 'sig', 'https://a.example', {});
return [message.sid, message.body, wrong, sent.status, checked.valid ?? checked.status, viaThen, twiml.toString(),
  token.toJwt().split('.').length, valid];
"""
    value = value_of(body, f"twilio@{version}", egress=site)
    assert value == [
        "SM1", "Hello from twilio-node", [value[2][0], 400, 21211, "Invalid 'To' Phone Number"], "pending", True, "y",
        '<?xml version="1.0" encoding="UTF-8"?><Response><Message>hi</Message></Response>', 3, False,
    ]  # fmt: skip


@pytest.mark.large
@pytest.mark.parametrize("version", ["8.1.6", "7.7.0"])
def test_sendgrid_client(site: Site, version: str) -> None:
    def send(asked: Asked) -> Answer:
        if asked.headers.get("authorization") != "Bearer SG.key":
            return Answer({"errors": [{"message": "no"}]}, status=401)
        return Answer(None, status=202, headers=(("x-message-id", asked.json["subject"]),))

    site.on("POST", "https://api.sendgrid.com/v3/mail/send", send)
    site.on("GET", "https://api.sendgrid.com/v3/user/profile", json={"first_name": "A"})
    body = """
const client = require('@sendgrid/client'); client.setApiKey('SG.key');
const [response] = await client.request({ method: 'POST', url: '/v3/mail/send', body: { subject: 'hi' } });
const [, profile] = await client.request({ method: 'GET', url: '/v3/user/profile' });
client.setApiKey('SG.other'); let wrong;
try { await client.request({ method: 'POST', url: '/v3/mail/send', body: {} }); } catch (e) { wrong = [e.code, e.response.body.errors[0].message]; }
return [response.statusCode, response.headers['x-message-id'], profile.first_name, wrong];
"""
    assert value_of(body, f"@sendgrid/client@{version}", egress=site) == [202, "hi", "A", [401, "no"]]


def test_sendgrid_mail(site: Site) -> None:
    site.on("POST", "https://api.sendgrid.com/v3/mail/send", json=None, status=202)
    body = """
const mail = require('@sendgrid/mail'); mail.setApiKey('SG.key');
const [response] = await mail.send({ to: 'a@example.com', from: 'b@example.com', subject: 's', text: 't', html: '<b>t</b>' });
return response.statusCode;
"""
    assert value_of(body, "@sendgrid/mail@8.1.6", egress=site) == 202
    assert site.asked[0].json["personalizations"] == [{"to": [{"email": "a@example.com"}]}]


@pytest.mark.parametrize("version", ["8.0.2", "7.2.0", "5.0.4"])
def test_slack_webhook(site: Site, version: str) -> None:
    site.on("POST", "https://hooks.slack.com/services/T/B/X", text="ok")
    site.on("POST", "https://hooks.slack.com/services/gone", text="no_service", status=404)
    body = """
const { IncomingWebhook } = require('@slack/webhook');
const webhook = new IncomingWebhook('https://hooks.slack.com/services/T/B/X', { username: 'bot' });
const { text } = await webhook.send({ text: 'I have got news for you...' }); await webhook.send('plain');
let wrong; try { await new IncomingWebhook('https://hooks.slack.com/services/gone').send('x'); }
catch (e) { wrong = e.code; }
return [text, wrong];
"""
    value = value_of(body, f"@slack/webhook@{version}", egress=site)
    assert value == ["ok", "slack_webhook_http_error"]
    assert [item.json["text"] for item in site.asked][:2] == ["I have got news for you...", "plain"]


@pytest.mark.parametrize("version", ["10.0.0", "8.0.3", "4.0.3"])
def test_cloudevents(site: Site, version: str) -> None:
    site.on("POST", "https://sink.example/", text="", status=202)
    body = """
const { CloudEvent, HTTP, httpTransport, emitterFor, ValidationError } = require('cloudevents');
const ce = new CloudEvent({ type: 'com.example.login', source: '/auth0', data: { user: 'a' }, plan: 'free' });
const message = HTTP.binary(ce); const structured = HTTP.structured(ce);
const back = HTTP.toEvent({ headers: message.headers, body: message.body });
let said; try { new CloudEvent({ type: 'x' }); } catch (e) { said = e instanceof ValidationError || e.name; }
await fetch('https://sink.example/', { method: 'POST', headers: message.headers, body: message.body });
const changed = ce.cloneWith({ type: 'other' });
return [ce.specversion, ce.id.length, message.headers['ce-type'], JSON.parse(structured.body).data.user, back.data.user,
  said, changed.type, Boolean(ce.time), typeof emitterFor];
"""
    value = value_of(body, f"cloudevents@{version}", egress=site)
    assert value == ["1.0", 36, "com.example.login", "a", "a", True, "other", True, "function"]
    assert site.asked[0].headers["ce-source"] == "/auth0"


def test_cloudevents_transport_over_http(site: Site) -> None:
    site.on("POST", "https://sink.example/in", text="", status=202)
    body = """
const { CloudEvent, emitterFor, httpTransport, Mode } = require('cloudevents');
const emit = emitterFor(httpTransport('https://sink.example/in'), { mode: Mode.STRUCTURED });
await emit(new CloudEvent({ type: 't', source: '/s', data: { n: 1 } }));
"""
    value_of(body, "cloudevents@10.0.0", egress=site)
    assert json.loads(site.asked[0].body)["data"] == {"n": 1}


@pytest.mark.parametrize("version", ["6.13.1", "4.1.2", "2.3.2"])
def test_fingerprint(site: Site, version: str) -> None:
    root = "https://eu.api.fpjs.io"
    products = {"identification": {"data": {"visitorId": "v1", "confidence": {"score": 1}}}}
    site.on("GET", f"{root}/events/req-1", json={"products": products})
    site.on("GET", f"{root}/visitors/v1", json={"visitorId": "v1", "visits": [{"requestId": "req-1"}]})
    gone = {"error": {"code": "RequestNotFound", "message": "request id not found"}}
    site.on("GET", f"{root}/events/gone", json=gone, status=404)
    body = """
const { FingerprintJsServerApiClient, Region } = require('@fingerprintjs/fingerprintjs-pro-server-api');
const client = new FingerprintJsServerApiClient({ apiKey: 'key', region: Region.EU });
const event = await client.getEvent('req-1');
const visits = await (client.getVisits ?? client.getVisitorHistory).call(client, 'v1', { limit: 1 });
let wrong; try { await client.getEvent('gone'); } catch (e) { wrong = e.status ?? e.statusCode ?? e.response?.status; }
return [event.products.identification.data.visitorId, visits.visits[0].requestId, wrong];
"""
    value = value_of(body, f"@fingerprintjs/fingerprintjs-pro-server-api@{version}", egress=site)
    assert value == ["v1", "req-1", 404]
    assert "key" in (*site.asked[0].headers.values(), *site.asked[0].query.values())


def test_airtable(site: Site) -> None:
    def records(asked: Asked) -> Answer:
        assert asked.headers["authorization"] == "Bearer key"
        if asked.method == "POST":
            return Answer(
                {"records": [{"id": "rec2", "fields": item["fields"]} for item in asked.json["records"]]}
            )
        return Answer({"records": [{"id": "rec1", "fields": {"Name": "x"}}]})

    for method in ("GET", "POST"):
        site.on(method, "https://api.airtable.com/v0/appX/Users", records)
        site.on(method, "https://api.airtable.com/v0/appX/Users/", records)
    body = """
const Airtable = require('airtable'); const base = new Airtable({ apiKey: 'key' }).base('appX');
const all = await base('Users').select({ maxRecords: 3, filterByFormula: "{Name} = 'x'" }).firstPage();
const made = await base('Users').create([{ fields: { Name: 'y' } }]);
return [all[0].get('Name'), made[0].id];
"""
    assert value_of(body, "airtable@0.12.2", egress=site) == ["x", "rec2"]


@pytest.mark.large
def test_hubspot(site: Site) -> None:
    contact: dict[str, Any] = {"id": "1", "properties": {"email": "a@example.com"}, "createdAt": "2024-01-01T00:00:00Z",
                               "updatedAt": "2024-01-01T00:00:00Z", "archived": False}  # fmt: skip
    for version in ("v3", "2026-03"):
        site.on("POST", f"https://api.hubapi.com/crm/{version}/objects/contacts", json=contact, status=201)
    site.on("POST", "https://api.hubapi.com/crm/objects/2026-03/contacts", json=contact, status=201)
    body = """
const hubspot = require('@hubspot/api-client'); const client = new hubspot.Client({ accessToken: 'key' });
const made = await client.crm.contacts.basicApi.create({ properties: { email: 'a@example.com' }, associations: [] });
return made.id;
"""
    assert value_of(body, "@hubspot/api-client@13.0.0", egress=site) == "1"
    assert site.asked[0].headers["authorization"] == "Bearer key"


def test_pangea(site: Site) -> None:
    answer = {"request_id": "r", "status": "Success", "summary": "", "request_time": "t", "response_time": "t",
              "result": {"sanctions_lists": ["us"]}}  # fmt: skip
    for path in ("v1/ip/check", "v1beta/check", "v1/check"):
        site.on("POST", f"https://embargo.aws.us.pangea.cloud/{path}", json=answer)
    body = """
const pangea = require('node-pangea'); const config = new pangea.PangeaConfig({ domain: 'aws.us.pangea.cloud' });
const made = Object.keys(pangea).includes('EmbargoService');
const embargo = new pangea.EmbargoService('token', config);
const response = await embargo.ipCheck('213.24.238.26');
return [made, response.status ?? response.response?.status, response.success];
"""
    assert value_of(body, "node-pangea@0.3.6", egress=site) == [True, "Success", True]
    assert site.asked[0].headers["authorization"] == "Bearer token"


def test_liquid() -> None:
    body = """
const Liquid = require('liquid'); const engine = new Liquid.Engine();
const template = await engine.parse('hello, {{ name | upcase }}'); return template.render({ name: 'tobi' });
"""
    assert value_of(body, "liquid@5.1.1") == "hello, TOBI"


def test_auth0_js(site: Site) -> None:
    site.on("POST", "https://t.auth0.com/passwordless/start", json={"_id": "1"})
    body = """
const auth0 = require('auth0-js'); const client = new auth0.Authentication({ domain: 't.auth0.com', clientID: 'c' });
return [client.buildLogoutUrl({ returnTo: 'https://a.example' }), client.buildAuthorizeUrl({ redirectUri: 'https://a.example',
  responseType: 'code', state: 's' }).includes('client_id=c')];
"""
    value = value_of(body, "auth0-js@10.2.1", egress=site)
    assert value[0].startswith("https://t.auth0.com/v2/logout?")
    assert value[1] is True
