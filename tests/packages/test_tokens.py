"""Packages that sign, verify and fetch keys, used as their own documentation uses them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.packages import keys
from tests.packages.actions import run, value_of
from tests.packages.site import Answer, Asked, Site

ISSUER = "https://idp.example"
KEYS = f"{ISSUER}/.well-known/jwks.json"


def event() -> dict[str, Any]:
    now = int(time.time())
    claims = {"sub": "user-1", "iss": ISSUER, "aud": "api", "iat": now, "exp": now + 60}
    return {
        "private": keys.private_pem(),
        "public": keys.public_pem(),
        "jwks": keys.jwks(),
        "token": keys.sign(claims),
        "late": keys.sign({**claims, "exp": now - 60}),
    }


JSONWEBTOKEN = """
const jwt = require('jsonwebtoken');
const { private: key, public: pub, token, late } = event;
const made = jwt.sign({ foo: 'bar' }, key, { algorithm: 'RS256', expiresIn: '1h', keyid: 'k' });
const later = await new Promise((done, fail) =>
  jwt.sign({ foo: 'baz' }, key, { algorithm: 'PS256' }, (e, t) => (e ? fail(e) : done(t))));
const names = [];
for (const [text, options] of [[late, {}], [token + 'x', {}], [token, { audience: 'other' }]]) {
  try { jwt.verify(text, pub, { algorithms: ['RS256'], ...options });
  } catch (e) { names.push([e.name, e.message]); }
}
const hmac = jwt.sign({ a: 1 }, 'shhhhh');
const found = await new Promise((done, fail) => jwt.verify(
  token, (header, callback) => callback(null, header.kid === 'key-1' ? pub : null),
  { issuer: 'https://idp.example' },
  (e, payload) => (e ? fail(e) : done(payload))));
return {
  made, foo: jwt.verify(later, pub).foo, names, hmac: jwt.verify(hmac, 'shhhhh').a, sub: found.sub,
  header: jwt.decode(made, { complete: true }).header,
  expired: (() => { try { jwt.verify(late, pub);
  } catch (e) { return e instanceof jwt.TokenExpiredError; } })(),
};
"""


@pytest.mark.parametrize("package", ["jsonwebtoken@9.0.3", "jsonwebtoken@8.5.1"])
def test_jsonwebtoken(package: str) -> None:
    value = value_of(JSONWEBTOKEN, package, event=event())
    claims = keys.read(value["made"])
    assert (claims["foo"], claims["exp"] - claims["iat"]) == ("bar", 3600)
    assert value["foo"] == "baz"
    assert value["names"] == [
        ["TokenExpiredError", "jwt expired"],
        ["JsonWebTokenError", "invalid signature"],
        ["JsonWebTokenError", "jwt audience invalid. expected: other"],
    ]
    assert (value["hmac"], value["sub"], value["expired"]) == (1, "user-1", True)
    assert value["header"] == {"alg": "RS256", "typ": "JWT", "kid": "k"}


JOSE = """
const jose = LOAD;
const { private: pem, public: spki, token, late, jwks } = event;
const key = await jose.importPKCS8(pem, 'RS256');
const made = await new jose.SignJWT({ 'urn:example:claim': true }).setProtectedHeader({ alg: 'RS256' })
  .setIssuedAt().setIssuer('urn:example:issuer').setExpirationTime('2h').sign(key);
const { payload, protectedHeader } = await jose.jwtVerify(token, await jose.importSPKI(spki,
  'RS256'), {
  issuer: 'https://idp.example', audience: 'api' });
let code; try { await jose.jwtVerify(late, await jose.importSPKI(spki, 'RS256'));
  } catch (e) { code = e.code; }
const local = await jose.jwtVerify(token, jose.createLocalJWKSet(jwks));
const remote = jose.createRemoteJWKSet(new URL('https://idp.example/.well-known/jwks.json'));
const fetched = [(await jose.jwtVerify(token, remote)).payload.sub, (await jose.jwtVerify(token,
  remote)).payload.sub];
const secret = new TextEncoder().encode('cc7e0d44fd473002f1c42167459001140ec6389b7353f8088f4d9a95f2f596f2');
const hs = await new jose.SignJWT({ a: 1 }).setProtectedHeader({ alg: 'HS256' }).sign(secret);
const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
const es = await new jose.SignJWT({ b: 2 }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
const sealed = await new jose.EncryptJWT({ c: 3 }).setProtectedHeader({ alg: 'dir',
  enc: 'A128CBC-HS256' })
  .encrypt(secret.slice(0, 32));
const wrapped = await new jose.CompactEncrypt(new TextEncoder().encode('secret'))
  .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' }).encrypt(await jose.importSPKI(spki,
  'RSA-OAEP-256'));
const opened = await jose.compactDecrypt(wrapped, await jose.importPKCS8(pem, 'RSA-OAEP-256'));
return {
  made, sub: payload.sub, alg: protectedHeader.alg, code, local: local.payload.sub, fetched,
  hs: (await jose.jwtVerify(hs, secret)).payload.a, es: (await jose.jwtVerify(es,
  publicKey)).payload.b,
  sealed: (await jose.jwtDecrypt(sealed, secret.slice(0, 32))).payload.c,
  opened: new TextDecoder().decode(opened.plaintext),
  thumb: await jose.calculateJwkThumbprint((await jose.exportJWK(publicKey))).then((t) => t.length),
  claims: jose.decodeJwt(token).sub, header: jose.decodeProtectedHeader(token).kid,
};
"""


@pytest.mark.parametrize(
    ("package", "load"),
    [
        ("jose@6.2.18", "require('jose')"),
        ("jose@6.2.18", "await import('jose')"),
        ("jose@5.10.0", "require('jose')"),
        ("jose@4.15.9", "require('jose')"),
    ],
)
def test_jose(site: Site, package: str, load: str) -> None:
    site.on("GET", KEYS, json=keys.jwks())
    value = value_of(JOSE.replace("LOAD", load), package, event=event(), egress=site)
    claims = keys.read(value.pop("made"))
    assert (claims["urn:example:claim"], claims["exp"] - claims["iat"]) == (True, 7200)
    assert value == {
        "sub": "user-1", "alg": "RS256", "code": "ERR_JWT_EXPIRED", "local": "user-1",
        "fetched": ["user-1", "user-1"], "hs": 1, "es": 2, "sealed": 3, "opened": "secret", "thumb": 43,
        "claims": "user-1", "header": keys.KEY_ID,
    }  # fmt: skip
    assert len(site.asked) == 1


JWKS_RSA = """
const jwksClient = require('jwks-rsa');
const jwt = require('jsonwebtoken');
const client = jwksClient({ jwksUri: 'https://idp.example/.well-known/jwks.json', cache: true,
  rateLimit: true,
  requestHeaders: { 'x-own': '1' }, timeout: 5000 });
const getKey = (header, callback) =>
  client.getSigningKey(header.kid, (err, key) => callback(err, key && (key.publicKey ||
  key.rsaPublicKey)));
const payload = await new Promise((done, fail) =>
  jwt.verify(event.token, getKey, { algorithms: ['RS256'] }, (e, p) => (e ? fail(e) : done(p))));
const found = await new Promise((done, fail) => client.getSigningKey('key-1', (e,
  k) => (e ? fail(e) : done(k))));
const name = await new Promise((done) => client.getSigningKey('no-such', (e) => done(e.name)));
const secretOrKey = jwksClient.passportJwtSecret;
const same = require('crypto').createPublicKey(found.getPublicKey()).export({ type: 'spki',
  format: 'pem' });
return [payload.sub, same === event.public, found.kid, name, typeof secretOrKey];
"""


@pytest.mark.parametrize("version", ["4.1.0", "3.2.2", "2.1.5", "1.12.5"])
def test_jwks_rsa(site: Site, version: str) -> None:
    site.on("GET", KEYS, json=keys.jwks())
    value = value_of(JWKS_RSA, f"jwks-rsa@{version}", "jsonwebtoken@9.0.3", event=event(), egress=site)
    assert value == ["user-1", True, keys.KEY_ID, "SigningKeyNotFoundError", "function"]
    assert site.asked[0].headers["x-own"] == "1"


def test_jwks_rsa_awaited(site: Site) -> None:
    site.on("GET", KEYS, json=keys.jwks())
    body = """
const { JwksClient } = require('jwks-rsa');
const client = new JwksClient({ jwksUri: 'https://idp.example/.well-known/jwks.json' });
const key = await client.getSigningKey('key-1');
return [key.getPublicKey().trim() === event.public.trim(), (await client.getSigningKeys()).length];
"""
    assert value_of(body, "jwks-rsa@4.1.0", "jsonwebtoken@9.0.3", event=event(), egress=site) == [True, 1]


def test_jwks_rsa_when_the_service_fails(site: Site) -> None:
    site.on("GET", KEYS, status=503, text="try later")
    body = """
const client = require('jwks-rsa')({ jwksUri: 'https://idp.example/.well-known/jwks.json' });
try { await client.getSigningKey('key-1'); } catch (e) { return [e.name, e.message]; }
"""
    value = value_of(body, "jwks-rsa@4.1.0", "jsonwebtoken@9.0.3", event=event(), egress=site)
    assert value[0] in ("JwksError", "Error")
    assert value[1]


def test_njwt() -> None:
    body = """
const nJwt = require('njwt'); const secureRandom = require('crypto').randomBytes(256);
const jwt = nJwt.create({ iss: 'http://myapp.com/', sub: 'users/user1234', scope: 'self' },
  secureRandom);
jwt.setExpiration(Date.now() + 60000); const token = jwt.compact();
const verified = nJwt.verify(token, secureRandom);
let said; try { nJwt.verify(token, 'other'); } catch (e) { said = e.message; }
const rs = nJwt.create({ sub: 'x' }, event.private, 'RS256').compact();
return [verified.body.sub, said, nJwt.verify(rs, event.public, 'RS256').body.sub, rs];
"""
    value = value_of(body, "njwt@2.0.1", event=event())
    assert value[:3] == ["users/user1234", "Signature verification failed", "x"]
    assert keys.read(value[3])["sub"] == "x"


def test_hkdf() -> None:
    # RFC 5869, A.1
    body = """
const { hkdf } = require('@panva/hkdf'); const hex = (text) => Uint8Array.from(Buffer.from(text,
  'hex'));
const made = await hkdf('sha256', hex('0b'.repeat(22)), hex('000102030405060708090a0b0c'),
  hex('f0f1f2f3f4f5f6f7f8f9'), 42);
return Buffer.from(made).toString('hex');
"""
    expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    assert value_of(body, "@panva/hkdf@1.2.1") == expected


def provider(site: Site) -> None:
    """An OpenID provider with client credentials, code and refresh grants, introspection and userinfo."""

    def token(asked: Asked) -> Answer:
        form = asked.form
        user = form.get("client_id") or asked.headers.get("authorization", "")
        assert user, asked
        now = int(time.time())
        made: dict[str, Any] = {
            "access_token": f"at-{form['grant_type']}",
            "token_type": "Bearer",
            "expires_in": 60,
        }
        if form["grant_type"] in ("authorization_code", "refresh_token"):
            claims = {"iss": ISSUER, "aud": "client", "sub": "user-1", "iat": now, "exp": now + 60}
            made["id_token"] = keys.sign(claims)
            made["refresh_token"] = "rt"
        return Answer(made)

    def userinfo(asked: Asked) -> Answer:
        assert asked.headers["authorization"].startswith("Bearer at-")
        return Answer({"sub": "user-1", "email": "a@example.com"})

    site.on("GET", f"{ISSUER}/.well-known/openid-configuration", json={
        "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": KEYS, "userinfo_endpoint": f"{ISSUER}/userinfo",
        "introspection_endpoint": f"{ISSUER}/introspect",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"],
    })  # fmt: skip
    site.on("GET", KEYS, json=keys.jwks())
    site.on("POST", f"{ISSUER}/token", token)
    site.on("GET", f"{ISSUER}/userinfo", userinfo)
    site.on("POST", f"{ISSUER}/introspect", json={"active": True, "sub": "user-1"})


OPENID_6 = """
const client = LOAD;
const config = await client.discovery(new URL('https://idp.example'), 'client', 'secret');
const verifier = client.randomPKCECodeVerifier();
const challenge = await client.calculatePKCECodeChallenge(verifier);
const to = client.buildAuthorizationUrl(config, { redirect_uri: 'https://app.example/cb',
  scope: 'openid',
  code_challenge: challenge, code_challenge_method: 'S256' });
const tokens = await client.authorizationCodeGrant(config,
  new URL('https://app.example/cb?code=abc'),
  { pkceCodeVerifier: verifier });
const machine = await client.clientCredentialsGrant(config, { scope: 'read' });
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
const seen = await client.tokenIntrospection(config, tokens.access_token);
const own = await client.fetchProtectedResource(config, tokens.access_token,
  new URL('https://idp.example/userinfo'), 'GET');
return [to.searchParams.get('code_challenge').length, tokens.claims().sub, machine.access_token,
  fresh.access_token,
  info.email, seen.active, (await own.json()).sub];
"""
OPENID_5 = """
const { Issuer, generators } = require('openid-client');
const issuer = await Issuer.discover('https://idp.example');
const client = new issuer.Client({ client_id: 'client', client_secret: 'secret',
  redirect_uris: ['https://app.example/cb'], response_types: ['code'] });
const verifier = generators.codeVerifier();
const to = new URL(client.authorizationUrl({ scope: 'openid',
  code_challenge: generators.codeChallenge(verifier),
  code_challenge_method: 'S256' }));
const tokens = await client.callback('https://app.example/cb', { code: 'abc' },
  { code_verifier: verifier });
const machine = await client.grant({ grant_type: 'client_credentials' });
const fresh = await client.refresh(tokens.refresh_token);
const info = await client.userinfo(tokens.access_token);
const seen = await client.introspect(tokens.access_token);
return [to.searchParams.get('code_challenge').length, tokens.claims().sub, machine.access_token,
  fresh.access_token,
  info.email, seen.active];
"""
FOUND = [43, "user-1", "at-client_credentials", "at-refresh_token", "a@example.com", True]


@pytest.mark.parametrize("load", ["require('openid-client')", "await import('openid-client')"])
def test_openid_client(site: Site, load: str) -> None:
    provider(site)
    value = value_of(OPENID_6.replace("LOAD", load), "openid-client@6.8.9", egress=site)
    assert value == [*FOUND, "user-1"]


@pytest.mark.large
@pytest.mark.parametrize("version", ["5.7.1", "4.9.1"])
def test_openid_client_of_old_versions(site: Site, version: str) -> None:
    provider(site)
    assert value_of(OPENID_5, f"openid-client@{version}", egress=site) == FOUND


def test_an_unreachable_key_set_is_a_typed_failure(site: Site) -> None:
    text = """
const jose = require('jose');
exports.onExecutePostLogin = async (event) => {
  const remote = jose.createRemoteJWKSet(new URL('http://169.254.169.254/keys'));
  await jose.jwtVerify(event.token, remote);
};
"""
    ran = run(text, "jose@6.2.18", event=event())
    assert ran.failure.code.value == "egress"
