// fetch and what belongs to it; `base` is the address of the probes' own server.
const read = async (response) => [response.status, response.ok, await response.text()];

exports.fetch = {
  'fetch: GET': async ({ base }) => read(await fetch(`${base}/text`)),
  'fetch: response': async ({ base }) => {
    const r = await fetch(`${base}/json`, { headers: { 'X-One': '1' } });
    return [r.type, r.redirected, r.statusText, r.url.endsWith('/json'), r.headers.get('content-type'), await r.json(), r.bodyUsed];
  },
  'fetch: POST json': async ({ base }) => (await fetch(`${base}/echo`, {
    method: 'POST', body: JSON.stringify({ a: 1 }), headers: { 'content-type': 'application/json' } })).json(),
  'fetch: POST URLSearchParams': async ({ base }) => (await fetch(`${base}/echo`, { method: 'post', body: new URLSearchParams({ a: 'b c' }) })).json(),
  'fetch: POST Blob': async ({ base }) => (await fetch(`${base}/echo`, { method: 'POST', body: new Blob(['hi'], { type: 'text/x' }) })).json(),
  'fetch: POST Uint8Array': async ({ base }) => (await fetch(`${base}/echo`, { method: 'POST', body: new Uint8Array([104, 105]) })).json(),
  'fetch: POST FormData': async ({ base }) => {
    const form = new FormData();
    form.append('a', '1');
    form.append('f', new File(['x'], 'a.txt', { type: 'text/plain' }));
    const echoed = await (await fetch(`${base}/echo`, { method: 'POST', body: form })).json();
    return echoed.body.replace(/-{4,}[\w-]+/g, 'BOUNDARY') + echoed.type.replace(/boundary=.*/, 'boundary=');
  },
  'fetch: POST stream': async ({ base }) => (await fetch(`${base}/echo`, { method: 'POST', duplex: 'half', body: ReadableStream.from([new TextEncoder().encode('ab')]) })).json(),
  'fetch: 404 is no error': async ({ base }) => read(await fetch(`${base}/missing`)),
  'fetch: redirect followed': async ({ base }) => {
    const r = await fetch(`${base}/redirect`);
    return [r.redirected, r.url.endsWith('/text'), await r.text()];
  },
  'fetch: redirect manual': async ({ base }) => {
    const r = await fetch(`${base}/redirect`, { redirect: 'manual' });
    return [r.status, r.type, r.headers.get('location')];
  },
  'fetch: redirect error': async ({ base }) => {
    try { await fetch(`${base}/redirect`, { redirect: 'error' }); } catch (e) { return [e.name, e.message]; }
  },
  'fetch: a 303 makes GET of POST': async ({ base }) => (await fetch(`${base}/see-other`, { method: 'POST', body: 'x' })).json(),
  'fetch: connection refused': async () => {
    try { await fetch('http://127.0.0.1:9/'); } catch (e) { return [e.name, e.message, typeof e.cause, e.cause instanceof Error]; }
  },
  'fetch: abort': async ({ base }) => {
    const c = new AbortController();
    setTimeout(() => c.abort(), 20);
    try { await fetch(`${base}/slow`, { signal: c.signal }); } catch (e) { return [e.name, e.message, e.code, e instanceof DOMException]; }
  },
  'fetch: abort with a reason': async ({ base }) => fetch(base, { signal: AbortSignal.abort('why') }),
  'fetch: AbortSignal.timeout': async ({ base }) => {
    try { await fetch(`${base}/slow`, { signal: AbortSignal.timeout(30) }); } catch (e) { return [e.name, e.message, e.code]; }
  },
  'fetch: invalid URL': () => fetch('nowhere'),
  'fetch: GET with body': ({ base }) => fetch(base, { body: 'x' }),
  'fetch: bad method': ({ base }) => fetch(base, { method: 'a b' }),
  'fetch: set-cookie': async ({ base }) => (await fetch(`${base}/cookies`)).headers.getSetCookie(),
  'fetch: gzip': async ({ base }) => read(await fetch(`${base}/gzip`)),
  'fetch: invalid JSON': async ({ base }) => {
    try { await (await fetch(`${base}/text`)).json(); } catch (e) { return e.name; }
  },
  'fetch: body read in parts': async ({ base }) => {
    const parts = [];
    for await (const part of (await fetch(`${base}/text`)).body) parts.push(Buffer.from(part).toString());
    return parts.join('');
  },
  'fetch: HEAD': async ({ base }) => read(await fetch(`${base}/text`, { method: 'HEAD' })),
  'fetch: several at once': async ({ base }) => Promise.all(['text', 'json', 'missing'].map(async (p) => (await fetch(`${base}/${p}`)).status)),
};

exports.Response = {
  'Response.json': async () => { const r = Response.json({ a: 1 }, { status: 201 }); return [r.status, r.headers.get('content-type'), await r.text()]; },
  'Response.error': () => { const r = Response.error(); return [r.type, r.status]; },
  'Response.redirect': () => { const r = Response.redirect('http://a.b/c', 307); return [r.status, r.headers.get('location')]; },
  'new Response': async () => { const r = new Response('hé', { headers: { a: 'b' } }); return [r.status, [...r.headers], await r.arrayBuffer(), r.bodyUsed]; },
  'new Response: status out of range': () => new Response('', { status: 99 }),
  'new Response: body with 204': () => new Response('x', { status: 204 }),
  'read twice': async () => { const r = new Response('a'); await r.text(); return r.text(); },
  clone: async () => { const r = new Response('a'); const c = r.clone(); return [await r.text(), await c.text()]; },
  'clone of used': async () => { const r = new Response('a'); await r.text(); return r.clone(); },
  blob: async () => { const b = await new Response('ab', { headers: { 'content-type': 'text/plain' } }).blob(); return [b.size, b.type]; },
  'formData urlencoded': async () => [...await new Response(new URLSearchParams('a=1&b=2')).formData()],
  'formData multipart': async () => {
    const form = new FormData();
    form.append('a', 'x\ny');
    form.append('f', new Blob(['hi'], { type: 'text/css' }), 'n "q".css');
    const back = await new Response(form).formData();
    const file = back.get('f');
    return [back.get('a'), file.name, file.type, await file.text(), [...back.keys()]];
  },
  'formData of another type': () => new Response('x').formData(),
  'inspect(Response)': () => new Response('x', { status: 201 }),
  bytes: async () => new Response('ab').bytes(),
  'body is null': () => new Response().body,
};

exports.Request = {
  'new Request': async () => { const r = new Request('http://a.b/c?d#e', { method: 'post', body: 'x' }); return [r.url, r.method, r.headers.get('content-type'), await r.text(), r.redirect, r.credentials, r.mode, r.cache, r.keepalive, r.destination, r.referrer, r.integrity]; },
  'Request of Request': async () => { const r = new Request(new Request('http://a.b/', { headers: { a: '1' } }), { headers: { b: '2' } }); return [...r.headers]; },
  clone: async () => { const r = new Request('http://a.b/', { method: 'POST', body: 'q' }); const c = r.clone(); return [await r.text(), await c.text()]; },
  'credentials in URL': () => new Request('http://a:b@c.d/'),
  signal: () => new Request('http://a.b/').signal.aborted,
};

exports.Headers = {
  'get, set, append, has, delete': () => { const h = new Headers({ A: '1' }); h.append('a', '2'); h.set('b', '3'); h.delete('c'); return [h.get('A'), h.get('z'), h.has('B'), [...h]]; },
  'order and case': () => [...new Headers([['Zed', '1'], ['alpha', '2']])],
  'set-cookie apart': () => { const h = new Headers(); h.append('set-cookie', 'a=1'); h.append('set-cookie', 'b=2'); return [h.get('set-cookie'), h.getSetCookie(), [...h]]; },
  'invalid name': () => new Headers({ 'a b': '1' }),
  'invalid value': () => new Headers({ a: 'b\nc' }),
  'inspect(Headers)': () => new Headers({ 'X-A': '1' }),
  'values are trimmed': () => new Headers({ a: '  b  ' }).get('a'),
  forEach: () => { const all = []; new Headers({ a: '1' }).forEach((v, k, h) => all.push([v, k, h instanceof Headers])); return all; },
  'keys, values, entries': () => { const h = new Headers({ a: '1' }); return [[...h.keys()], [...h.values()], [...h.entries()]]; },
};

exports.FormData = {
  'append, get, getAll, has, delete, set': () => { const f = new FormData(); f.append('a', 1); f.append('a', '2'); f.set('b', true); f.delete('z'); return [f.get('a'), f.getAll('a'), f.has('b'), f.get('none'), [...f]]; },
  'append Blob': () => { const f = new FormData(); f.append('a', new Blob(['x'])); const v = f.get('a'); return [v.constructor.name, v.name, v.size]; },
  'append with file name': () => { const f = new FormData(); f.append('a', new Blob(['x']), 'n.txt'); return f.get('a').name; },
  'append with file name of text': () => { const f = new FormData(); f.append('a', 'x', 'n.txt'); },
  'too few arguments': () => new FormData().append('a'),
  'new FormData(form)': () => new FormData({}),
};

exports.Blob = {
  'size, type': () => { const b = new Blob(['é', new Uint8Array(2), new Blob(['x'])], { type: 'Text/Plain' }); return [b.size, b.type]; },
  text: () => new Blob(['a', 'b']).text(),
  slice: async () => { const b = new Blob(['hello']).slice(1, -1, 'x/y'); return [await b.text(), b.type]; },
  arrayBuffer: () => new Blob(['ab']).arrayBuffer(),
  bytes: () => new Blob(['ab']).bytes(),
  stream: async () => { const all = []; for await (const c of new Blob(['ab']).stream()) all.push(...c); return all; },
  'endings native': () => new Blob(['a\r\nb'], { endings: 'native' }).text(),
  'wrong parts': () => new Blob('ab'),
  'inspect(Blob)': () => new Blob(['a']),
  File: async () => { const f = new File(['ab'], 'n.txt', { type: 'a/b', lastModified: 5 }); return [f.name, f.size, f.type, f.lastModified, f instanceof Blob, await f.text()]; },
  'File without name': () => new File(['a']),
};

exports.URL = {
  parts: () => { const u = new URL('../x?a=1#h', 'https://u:p@Ex.com:443/a/b/'); return [u.href, u.origin, u.host, u.username, u.password, u.pathname, u.search, u.hash, u.port]; },
  'international host': () => new URL('http://münchen.de/ü').href,
  'invalid': () => new URL('nope'),
  'URL.canParse': () => [URL.canParse('a:b'), URL.canParse('x')],
  'URL.parse': () => [URL.parse('http://a.b/').href, URL.parse('x')],
  'searchParams change href': () => { const u = new URL('http://a.b/?x=1'); u.searchParams.set('y', 'z w'); return u.href; },
  setters: () => { const u = new URL('http://a.b/'); u.port = '81'; u.pathname = 'x y'; u.hash = 'q'; u.host = 'c.d:82'; u.protocol = 'https'; return String(u); },
  'toJSON': () => JSON.stringify({ u: new URL('http://a.b') }),
  'inspect(URL)': () => new URL('http://a.b/c?d=e'),
};
exports.URLSearchParams = {
  forms: () => [String(new URLSearchParams('?a=b c&d=%20')), String(new URLSearchParams({ a: 1, b: '&' })), String(new URLSearchParams([['x', 'y']])), String(new URLSearchParams(new Map([['m', 'n']])))],
  methods: () => { const p = new URLSearchParams('b=2&a=1&b=3'); p.append('c', '4'); p.delete('b', '2'); p.sort(); return [String(p), p.getAll('b'), p.has('a', '1'), p.size, [...p]]; },
  plus: () => new URLSearchParams('a=b+c').get('a'),
  'inspect(URLSearchParams)': () => new URLSearchParams('a=1'),
  'bad pairs': () => new URLSearchParams([['a']]),
};

exports.AbortSignal = {
  'AbortController': () => { const c = new AbortController(); let n = 0; c.signal.onabort = () => n++; c.signal.addEventListener('abort', (e) => { n += e.type === 'abort' && e.target === c.signal ? 10 : 0; }); c.abort(); c.abort(); return [n, c.signal.aborted, c.signal.reason.name, c.signal.reason.code]; },
  'abort(reason)': () => { const c = new AbortController(); c.abort(new Error('r')); return c.signal.reason.message; },
  throwIfAborted: () => AbortSignal.abort().throwIfAborted(),
  'AbortSignal.any': async () => { const c = new AbortController(); const s = AbortSignal.any([AbortSignal.timeout(1000), c.signal]); c.abort('x'); return [s.aborted, s.reason]; },
  'AbortSignal.any wrong': () => AbortSignal.any([{}]),
  'AbortSignal.timeout': () => new Promise((done) => { const s = AbortSignal.timeout(5); s.onabort = () => done([s.reason.name, s.reason.code, s.reason.message]); }),
  'AbortSignal.timeout wrong': () => AbortSignal.timeout(-1),
  'new AbortSignal': () => new AbortSignal(),
  'inspect(AbortController)': () => new AbortController(),
};

exports.streams = {
  'ReadableStream': async () => { const all = []; for await (const c of new ReadableStream({ start(k) { k.enqueue(1); k.enqueue(2); k.close(); } })) all.push(c); return all; },
  'ReadableStream.from': async () => { const all = []; for await (const c of ReadableStream.from(['a', 'b'])) all.push(c); return all; },
  'getReader': async () => { const r = new ReadableStream({ pull(k) { k.enqueue('x'); k.close(); } }).getReader(); return [await r.read(), await r.read(), await r.closed]; },
  tee: async () => { const [a, b] = ReadableStream.from([1]).tee(); return [await a.getReader().read(), await b.getReader().read()]; },
  'pipeThrough TransformStream': async () => { const t = new TransformStream({ transform: (c, k) => k.enqueue(c * 2) }); const all = []; for await (const c of ReadableStream.from([1, 2]).pipeThrough(t)) all.push(c); return all; },
  'WritableStream': async () => { const got = []; const w = new WritableStream({ write: (c) => { got.push(c); } }).getWriter(); await w.write('a'); await w.close(); return got; },
  'TextEncoderStream': async () => { const all = []; for await (const c of ReadableStream.from(['é']).pipeThrough(new TextEncoderStream())) all.push(...c); return all; },
  'TextDecoderStream': async () => { const all = []; for await (const c of ReadableStream.from([new Uint8Array([0xc3]), new Uint8Array([0xa9])]).pipeThrough(new TextDecoderStream())) all.push(c); return all.join(''); },
  'CompressionStream': async () => { const z = new Response(new Blob(['hello hello hello']).stream().pipeThrough(new CompressionStream('gzip'))); const back = new Blob([await z.arrayBuffer()]).stream().pipeThrough(new DecompressionStream('gzip')); return new Response(back).text(); },
  'CompressionStream: unknown format': () => new CompressionStream('lzma'),
  'instanceof': () => [new Response('a').body instanceof ReadableStream, new Blob(['a']).stream() instanceof ReadableStream],
  'locked': () => { const s = new ReadableStream(); s.getReader(); return [s.locked, (() => { try { s.getReader(); } catch (e) { return [e.name, e.code]; } })()]; },
};

exports.EventTarget = {
  'EventTarget': () => { const t = new EventTarget(); const got = []; t.addEventListener('a', (e) => got.push(e.type), { once: true }); t.addEventListener('a', { handleEvent() { got.push('object'); } }); t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a')); return got; },
  'preventDefault': () => { const t = new EventTarget(); t.addEventListener('a', (e) => e.preventDefault()); return [t.dispatchEvent(new Event('a', { cancelable: true })), t.dispatchEvent(new Event('a'))]; },
  'CustomEvent': () => new CustomEvent('a', { detail: { b: 1 } }).detail,
  'Event constants': () => [Event.NONE, Event.AT_TARGET, new Event('x').eventPhase, new Event('x').cancelBubble],
  'Event without type': () => new Event(),
  'dispatchEvent of no event': () => new EventTarget().dispatchEvent({}),
  'signal removes': () => { const t = new EventTarget(); const c = new AbortController(); let n = 0; t.addEventListener('a', () => n++, { signal: c.signal }); c.abort(); t.dispatchEvent(new Event('a')); return n; },
  'DOMException': () => { const e = new DOMException('m', 'NotFoundError'); return [e.name, e.message, e.code, e instanceof Error, String(e), DOMException.ABORT_ERR]; },
  'DOMException with cause': () => new DOMException('m', { name: 'AbortError', cause: 1 }).cause,
};
