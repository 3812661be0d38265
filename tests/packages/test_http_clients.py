"""HTTP clients: used as their own documentation uses them, against a server on loopback."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from tests.packages.actions import run, value_of
from tests.packages.site import Answer, Asked, Site

API = "https://api.example"


def routes(site: Site) -> None:
    def echo(asked: Asked) -> Answer:
        kept = ("content-type", "x-own", "authorization", "accept", "user-agent")
        headers = {name: value for name, value in asked.headers.items() if name in kept}
        return Answer(
            {"method": asked.method, "query": asked.query, "body": asked.body.decode(), "headers": headers}
        )

    def slow(_: Asked) -> Answer:
        time.sleep(0.5)
        return Answer({})

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        site.on(method, f"{API}/echo", echo)
    site.on("GET", f"{API}/packed", json={"packed": True}, packed=True)
    site.on("GET", f"{API}/missing", json={"message": "no such user"}, status=404)
    site.on("GET", f"{API}/text", text="plain")
    site.on("GET", f"{API}/moved", status=302, text="", headers=(("location", "/text"),))
    site.on("GET", f"{API}/slow", slow)
    site.on("GET", f"{API}/broken", text="{ no json", headers=(("content-type", "application/json"),))


AXIOS = """

const axios = require('axios');
const got = {};
const { data, status, headers } = await axios.get('https://api.example/echo', {
  params: { id: 12345, tag: 'a b' }, headers: { 'X-Own': '1' } });
got.get = [status, data.query, data.headers['x-own'], headers['content-type'].split(';')[0]];
const posted = await axios.post('https://api.example/echo', { firstName: 'Fred' });
got.post = [posted.data.body, posted.data.headers['content-type'].split(';')[0]];
const form = await axios.post('https://api.example/echo', new URLSearchParams({ a: '1',
  b: 'x y' }));
got.form = [form.data.body, form.data.headers['content-type'].split(';')[0]];
const api = axios.create({ baseURL: 'https://api.example', timeout: 5000,
  headers: { Authorization: 'Bearer t' } });
api.interceptors.request.use((config) => { config.headers['X-Own'] = 'intercepted'; return config;
  });
api.interceptors.response.use((response) => response.data);
const own = await api.put('/echo', 'text', { headers: { 'Content-Type': 'text/plain' } });
got.own = [own.method, own.body, own.headers.authorization, own.headers['x-own']];
got.config = (await axios({ method: 'delete', url: 'https://api.example/echo',
  data: { x: 1 } })).data.method;
got.auth = (await axios.get('https://api.example/echo', { auth: { username: 'u',
  password: 'p' } })).data.headers.authorization;
try { await axios.get('https://api.example/missing'); } catch (error) {
  got.missing = [axios.isAxiosError(error), error.message, error.response.status,
  error.response.data.message,
    error.config.url, error.toJSON().name];
}
got.tolerant = (await axios.get('https://api.example/missing',
  { validateStatus: (s) => s < 500 })).status;
got.packed = (await axios.get('https://api.example/packed')).data;
const moved = await axios.get('https://api.example/moved');
got.moved = [moved.data, moved.request.res ? moved.request.res.responseUrl :
  moved.request.responseURL];
try { await axios.get('https://api.example/moved', { maxRedirects: 0 });
  } catch (error) { got.unmoved = error.response.status; }
try { await axios.get('https://api.example/slow', { timeout: 50 });
  } catch (error) { got.slow = [error.code, error.message]; }
got.broken = (await axios.get('https://api.example/broken')).data;
const [one, two] = await Promise.all([axios.get('https://api.example/text'),
  axios.get('https://api.example/packed')]);
got.all = [one.data, two.data.packed];
got.bytes = (await axios.get('https://api.example/text',
  { responseType: 'arraybuffer' })).data.toString();
return got;
"""
EXPECTED: dict[str, Any] = {
    "get": [200, {"id": "12345", "tag": "a b"}, "1", "application/json"],
    "post": ['{"firstName":"Fred"}', "application/json"],
    "form": ["a=1&b=x+y", "application/x-www-form-urlencoded"],
    "own": ["PUT", "text", "Bearer t", "intercepted"],
    "config": "DELETE",
    "auth": "Basic " + base64.b64encode(b"u:p").decode(),
    "missing": [
        True, "Request failed with status code 404", 404, "no such user", f"{API}/missing", "AxiosError",
    ],
    "tolerant": 404,
    "packed": {"packed": True},
    "moved": ["plain", f"{API}/text"],
    "unmoved": 302,
    "slow": ["ECONNABORTED", "timeout of 50ms exceeded"],
    "broken": "{ no json",
    "all": ["plain", True],
    "bytes": "plain",
}  # fmt: skip


@pytest.mark.parametrize("version", ["1.21.1", "0.27.2", "0.21.4"])
def test_axios(site: Site, version: str) -> None:
    routes(site)
    value = value_of(AXIOS, f"axios@{version}", egress=site)
    if version == "0.21.4":  # before AxiosError
        value["missing"][-1] = value["missing"][-1].replace("Error", "AxiosError")
    assert value == EXPECTED
    assert site.asked[0].headers["user-agent"] == f"axios/{version}"


def test_axios_uploads_and_cancels(site: Site) -> None:
    routes(site)
    body = """

const axios = require('axios');
const form = new FormData(); form.append('name', 'x'); form.append('file', new Blob(['data']),
  'a.txt');
const sent = await axios.post('https://api.example/echo', form);
const posted = await axios.postForm('https://api.example/echo', { a: 1 });
const controller = new AbortController(); setTimeout(() => controller.abort(), 20);
let cancelled; try { await axios.get('https://api.example/slow', { signal: controller.signal }); }
catch (e) { cancelled = [axios.isCancel(e), e.code]; }
const streamed = await axios.get('https://api.example/text', { responseType: 'stream' });
let text = ''; for await (const part of streamed.data) text += part;
return [sent.data.body.includes('filename="a.txt"'),
  sent.data.headers['content-type'].startsWith('multipart/form-data'),
  posted.data.body.includes('name="a"'), cancelled, text];
"""
    assert value_of(body, "axios@1.21.1", egress=site) == [True, True, True, [True, "ERR_CANCELED"], "plain"]


def test_axios_imported(site: Site) -> None:
    routes(site)
    text = """

import axios, { AxiosError } from 'axios';
export const onExecutePostLogin = async (event: unknown): Promise<void> => {
  try { await axios.get<string>('https://api.example/missing'); } catch (error) {
    console.log(error instanceof AxiosError, (await import('axios')).default === axios);
  }
};
"""
    assert run(text, "axios@1.21.1", egress=site, filename="action.ts").log == ["true true"]


def test_axios_reports_what_the_network_refuses() -> None:
    text = """

const axios = require('axios');
exports.onExecutePostLogin = async () => {
  try { await axios.get('http://169.254.169.254/latest');
  } catch (e) { console.log(axios.isAxiosError(e), e.code); }
  await axios.get('http://10.0.0.1/');
};
"""
    ran = run(text, "axios@1.21.1")
    assert ran.log == ["true ERR_ACCESS_DENIED"]
    assert ran.failure.code.value == "egress"


@pytest.mark.parametrize("version", ["2.7.0", "3.3.2"])
def test_node_fetch(site: Site, version: str) -> None:
    routes(site)
    body = """

const loaded = require('node-fetch'); const fetch = loaded.default ?? loaded;
const { Headers } = loaded;
const response = await fetch('https://api.example/echo', { method: 'POST',
  body: JSON.stringify({ a: 1 }),
  headers: new Headers({ 'Content-Type': 'application/json', 'x-own': '1' }) });
const data = await response.json();
const moved = await fetch('https://api.example/moved');
const missing = await fetch('https://api.example/missing');
const params = new URLSearchParams(); params.append('a', 1);
const form = await (await fetch('https://api.example/echo', { method: 'POST',
  body: params })).json();
return [response.status, response.ok, data.body, data.headers['x-own'], await moved.text(),
  moved.redirected,
  missing.ok, missing.statusText, form.body,
  (await (await fetch('https://api.example/packed')).json()).packed,
  Buffer.from(await (await fetch('https://api.example/text')).arrayBuffer()).toString(),
  (await (await fetch('https://api.example/text')).buffer()).toString()];
"""
    assert value_of(body, f"node-fetch@{version}", egress=site) == [
        200, True, '{"a":1}', "1", "plain", True, False, "Not Found", "a=1", True, "plain", "plain",
    ]  # fmt: skip


def test_cross_fetch(site: Site) -> None:
    routes(site)
    body = "const fetch = require('cross-fetch'); return (await fetch('https://api.example/text')).text();"
    assert value_of(body, "cross-fetch@4.1.0", egress=site) == "plain"


def test_request(site: Site) -> None:
    routes(site)
    body = """

const request = require('request');
const call = (options) => new Promise((done, fail) =>
  request(options, (error, response, body) => (error ? fail(error) : done([response.statusCode,
  body]))));
const [status, text] = await call('https://api.example/text');
const posted = await call({ method: 'POST', url: 'https://api.example/echo', json: { a: 1 },
  headers: { 'x-own': '1' }, auth: { bearer: 't' } });
const form = await call({ method: 'POST', url: 'https://api.example/echo', form: { a: 'b c' },
  json: true });
const moved = await call('https://api.example/moved');
let slow; try { await call({ url: 'https://api.example/slow', timeout: 50 });
  } catch (e) { slow = e.code; }
return [status, text, posted[1].body, posted[1].headers.authorization, form[1].body, moved[1],
  slow];
"""
    assert value_of(body, "request@2.88.2", egress=site) == [
        200, "plain", '{"a":1}', "Bearer t", "a=b%20c", "plain", "ESOCKETTIMEDOUT",
    ]  # fmt: skip


@pytest.mark.parametrize("version", ["14.6.6", "11.8.6"])
def test_got(site: Site, version: str) -> None:
    routes(site)
    body = """

const loaded = require('got'); const got = loaded.default ?? loaded;
const json = await got('https://api.example/echo', { searchParams: { a: 1 } }).json();
const posted = await got.post('https://api.example/echo', { json: { hello: 'world' } }).json();
let missing; try { await got('https://api.example/missing', { retry: { limit: 0 } }); }
catch (e) { missing = [e.name, e.response.statusCode]; }
return [json.query, posted.body, missing, (await got('https://api.example/moved')).body];
"""
    assert value_of(body, f"got@{version}", egress=site) == [
        {"a": "1"}, '{"hello":"world"}', ["HTTPError", 404], "plain",
    ]  # fmt: skip


def test_superagent(site: Site) -> None:
    routes(site)
    body = """
const superagent = require('superagent');
const posted = await superagent.post('https://api.example/echo').send({ name: 'Manny' })
  .set('X-Own', 'foobar').set('accept', 'json').query({ q: 1 });
let missing; try { await superagent.get('https://api.example/missing');
  } catch (e) { missing = [e.status, e.response.body.message]; }
return [posted.body.body, posted.body.headers['x-own'], posted.body.query, missing];
"""
    assert value_of(body, "superagent@10.2.3", egress=site) == [
        '{"name":"Manny"}', "foobar", {"q": "1"}, [404, "no such user"],
    ]  # fmt: skip


@pytest.mark.parametrize("version", ["8.12.4", "6.21.3"])
def test_undici(site: Site, version: str) -> None:
    routes(site)
    body = """

const { request, fetch, Headers, FormData, setGlobalDispatcher, Agent } = require('undici');
setGlobalDispatcher(new Agent({ connect: { timeout: 1000 } }));
const { statusCode, headers, body } = await request('https://api.example/echo', { method: 'POST',
  headers: { 'content-type': 'application/json' }, body: JSON.stringify({ a: 1 }),
  query: { x: 1 } });
const data = await body.json();
const response = await fetch('https://api.example/text', { headers: new Headers({ a: 'b' }) });
const missing = await request('https://api.example/missing'); let text = '';
for await (const part of missing.body) text += Buffer.from(part).toString();
return [statusCode, headers['content-type'], data.body, data.query, await response.text(),
  missing.statusCode, text];
"""
    assert value_of(body, f"undici@{version}", egress=site) == [
        200, "application/json", '{"a":1}', {"x": "1"}, "plain", 404, '{"message": "no such user"}',
    ]  # fmt: skip


def test_proxies_and_client_certificates_are_refused_by_name(site: Site) -> None:
    routes(site)
    body = """

const https = require('https'); const said = [];
const { HttpsProxyAgent } = require('https-proxy-agent');
for (const options of [{ agent: new HttpsProxyAgent('http://proxy.example:8080') }, { cert: 'c',
  key: 'k' }]) {
  try { https.get('https://api.example/text', options); } catch (e) { said.push([e.code,
  e.message.split(' ').slice(0, 3).join(' ')]); }
}
return said;
"""
    assert value_of(body, "https-proxy-agent@7.0.6", egress=site) == [
        ["ERR_ACCESS_DENIED", "A proxy agent"], ["ERR_ACCESS_DENIED", "Client certificates (cert,"],
    ]  # fmt: skip
    assert site.asked == []
