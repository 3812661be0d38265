// Buffer, streams, compression, hashing, HTTP clients.
const { Readable, Writable, Transform, PassThrough, pipeline, finished, Duplex } = require('stream');
const zlib = require('zlib');
const crypto = require('crypto');

exports.Buffer = {
  from: () => [Buffer.from('é').toString('hex'), Buffer.from('aGk', 'base64url').toString(), Buffer.from([256, -1, 1.5]), Buffer.from('ff0z', 'hex'), Buffer.from(new Uint16Array([1, 2])), Buffer.from('ÿ', 'latin1'), Buffer.from('ab', 'utf16le')],
  'from number': () => Buffer.from(5),
  'from nothing': () => Buffer.from(undefined),
  alloc: () => [Buffer.alloc(3, 'ab'), Buffer.allocUnsafe(2).length, Buffer.alloc(4, 1)],
  'alloc wrong': () => Buffer.alloc(-1),
  concat: () => [Buffer.concat([Buffer.from('a'), Buffer.from('bc')], 2), Buffer.concat([])],
  'compare, equals': () => [Buffer.compare(Buffer.from('a'), Buffer.from('b')), Buffer.from('a').equals(Buffer.from('a')), Buffer.from('abc').compare(Buffer.from('bc'), 0, 1, 1, 2)],
  toString: () => ['hex', 'base64', 'base64url', 'latin1', 'ascii', 'utf8', 'utf16le'].map((e) => Buffer.from('hÿ€').toString(e)),
  'toString unknown': () => Buffer.from('a').toString('nope'),
  'read and write': () => { const b = Buffer.alloc(16); b.writeUInt32BE(0xdeadbeef, 0); b.writeInt16LE(-2, 4); b.writeDoubleBE(1.5, 8); b.writeBigUInt64LE(5n, 8); return [b, b.readUInt32LE(0), b.readInt16LE(4), b.readBigUInt64LE(8), b.readUIntBE(0, 3)]; },
  'read out of range': () => Buffer.alloc(2).readUInt32BE(0),
  'write out of range': () => Buffer.alloc(2).writeUInt8(256),
  'slice, subarray share': () => { const b = Buffer.from('abc'); b.subarray(1)[0] = 120; return [b.toString(), b.slice(-1).toString()]; },
  'indexOf, includes, lastIndexOf': () => { const b = Buffer.from('hello'); return [b.indexOf('l'), b.lastIndexOf('l'), b.includes('ell'), b.indexOf(111), b.indexOf(Buffer.from('lo'))]; },
  'fill, swap, copy': () => { const b = Buffer.from('abcd'); return [Buffer.from(b).swap16().toString(), Buffer.alloc(4).fill('xy').toString(), b.copy(Buffer.alloc(2), 0, 1)]; },
  toJSON: () => JSON.stringify(Buffer.from('a')),
  byteLength: () => [Buffer.byteLength('é'), Buffer.byteLength('aGk=', 'base64'), Buffer.isBuffer(Buffer.alloc(0)), Buffer.isEncoding('UTF-8'), Buffer.poolSize],
  'inspect(Buffer)': () => Buffer.alloc(60),
  iterate: () => [[...Buffer.from('ab').entries()], [...Buffer.from('a')]],
  'buffer module': () => { const b = require('buffer'); return [b.Buffer === Buffer, b.constants.MAX_LENGTH > 0, b.isUtf8(Buffer.from([0xff])), b.isAscii(Buffer.from('a')), b.transcode(Buffer.from('€'), 'utf8', 'latin1')]; },
  copyBytesFrom: () => Buffer.copyBytesFrom(new Uint16Array([1, 2]), 1),
  of: () => Buffer.of(1, 2),
  'new Buffer': () => new Buffer('a').toString(),
};

const all = (stream) => new Promise((done, fail) => { const parts = []; stream.on('data', (c) => parts.push(Buffer.from(c))); stream.on('end', () => done(Buffer.concat(parts).toString())); stream.on('error', fail); });
exports.stream = {
  'Readable.from': async () => { const got = []; for await (const c of Readable.from(['a', 'b'])) got.push(c); return got; },
  'pipe, Transform': () => all(Readable.from(['a', 'b']).pipe(new Transform({ transform(c, e, done) { done(null, String(c).toUpperCase()); } }))),
  pipeline: () => new Promise((done) => { const got = []; pipeline(Readable.from(['x']), new PassThrough(), new Writable({ write(c, e, cb) { got.push(String(c)); cb(); } }), (e) => done([e, got])); }),
  'stream/promises pipeline': async () => { const got = []; await require('stream/promises').pipeline(Readable.from(['q']), async function* up(source) { for await (const c of source) yield String(c) + '!'; }, new Writable({ objectMode: true, write(c, e, cb) { got.push(c); cb(); } })); return got; },
  'error in pipeline': () => new Promise((done) => pipeline(Readable.from(['x']), new Transform({ transform(c, e, cb) { cb(new Error('t')); } }), new PassThrough(), (e) => done(e.message))),
  finished: () => new Promise((done) => { const r = Readable.from([]); finished(r, (e) => done(e)); r.resume(); }),
  'destroy': () => new Promise((done) => { const r = new Readable({ read() {} }); r.on('error', (e) => done([e.message, r.destroyed])); r.destroy(new Error('d')); }),
  'premature close': () => new Promise((done) => { const r = new Readable({ read() {} }); finished(r, (e) => done([e.code])); r.destroy(); }),
  'consumers': async () => [await require('stream/consumers').text(Readable.from(['a', 'b'])), await require('stream/consumers').json(Readable.from(['{"a":1}']))],
  'Readable.toWeb, fromWeb': async () => all(Readable.fromWeb(new Response('web').body)),
  'helpers': async () => Readable.from([1, 2, 3]).filter((n) => n > 1).map((n) => n * 2).toArray(),
  'Duplex.from': async () => all(Duplex.from(['d'])),
  'write after end': () => new Promise((done) => { const w = new PassThrough(); w.on('error', (e) => done(e.code)); w.end(); w.write('x'); }),
};

exports.zlib = {
  'gzip and back': () => zlib.gunzipSync(zlib.gzipSync('hello')).toString(),
  'deflate, inflate, raw': () => [zlib.inflateSync(zlib.deflateSync('a')).toString(), zlib.inflateRawSync(zlib.deflateRawSync(Buffer.from('b'))).toString(), zlib.unzipSync(zlib.deflateSync('c')).toString()],
  'bytes of deflate': () => [zlib.deflateSync('aaaaaaaaaa').toString('hex'), zlib.deflateRawSync('abc').toString('hex')],
  callback: () => new Promise((done) => zlib.gzip('x', (e, b) => zlib.gunzip(b, (f, c) => done([e, f, String(c)])))),
  promisified: async () => String(await require('util').promisify(zlib.gunzip)(await require('util').promisify(zlib.gzip)('p'))),
  'wrong data': () => zlib.gunzipSync(Buffer.from('nope')),
  'cut data': () => zlib.gunzipSync(zlib.gzipSync('hello').subarray(0, 15)),
  'streams': () => all(Readable.from([Buffer.from('s')]).pipe(zlib.createGzip()).pipe(zlib.createGunzip())),
  maxOutputLength: () => zlib.inflateSync(zlib.deflateSync('a'.repeat(100)), { maxOutputLength: 10 }),
  crc32: () => [zlib.crc32('hello'), zlib.crc32('lo', zlib.crc32('hel'))],
  brotli: () => zlib.brotliDecompressSync(zlib.brotliCompressSync('x')).toString(),
  'constants, codes': () => [zlib.constants.Z_BEST_COMPRESSION, zlib.constants.BROTLI_PARAM_QUALITY, zlib.codes.Z_OK, zlib.codes['-3']],
};

exports.crypto = {
  'createHash': () => ['md5', 'sha1', 'sha256', 'sha384', 'sha512', 'sha3-256', 'ripemd160'].map((h) => crypto.createHash(h).update('a').digest('hex')),
  'createHash unknown': () => crypto.createHash('nope'),
  'update twice, base64url': () => crypto.createHash('sha256').update('a').update(Buffer.from('b')).digest('base64url'),
  'digest twice': () => { const h = crypto.createHash('md5'); h.digest(); return h.digest(); },
  copy: () => { const h = crypto.createHash('md5').update('a'); return [h.copy().digest('hex') === h.digest('hex')]; },
  hash: () => crypto.hash('sha1', 'a'),
  createHmac: () => crypto.createHmac('sha256', 'key').update('data').digest('hex'),
  'createHmac no key': () => crypto.createHmac('sha256'),
  timingSafeEqual: () => [crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a')), crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('b'))],
  'timingSafeEqual lengths': () => crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('ab')),
  'random': () => [crypto.randomBytes(4).length, crypto.randomUUID().length, crypto.randomInt(5) < 5, crypto.randomInt(3, 4)],
  pbkdf2Sync: () => crypto.pbkdf2Sync('p', 's', 10, 16, 'sha256').toString('hex'),
  scryptSync: () => crypto.scryptSync('p', 's', 16).toString('hex'),
  hkdfSync: () => Buffer.from(crypto.hkdfSync('sha256', 'k', 's', 'i', 16)).toString('hex'),
  'cipher': () => { const k = Buffer.alloc(32); const c = crypto.createCipheriv('aes-256-gcm', k, Buffer.alloc(12)); const x = c.update('hi', 'utf8', 'hex') + c.final('hex'); const d = crypto.createDecipheriv('aes-256-gcm', k, Buffer.alloc(12)); d.setAuthTag(c.getAuthTag()); return [x, d.update(x, 'hex', 'utf8') + d.final('utf8')]; },
  'wrong tag': () => { const d = crypto.createDecipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12)); d.setAuthTag(Buffer.alloc(16)); d.update('00', 'hex'); return d.final(); },
  'wrong padding': () => { const d = crypto.createDecipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16)); return Buffer.concat([d.update(Buffer.alloc(16)), d.final()]); },
  'sign, verify': () => { const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }); const s = crypto.sign('sha256', Buffer.from('d'), privateKey); return [crypto.verify('sha256', Buffer.from('d'), publicKey, s), crypto.createVerify('sha256').update('d').verify(publicKey, s), publicKey.asymmetricKeyType]; },
  'createPrivateKey of nonsense': () => crypto.createPrivateKey('nope'),
  'webcrypto': () => crypto.webcrypto === globalThis.crypto,
  'getHashes, getCurves, getCiphers': () => [crypto.getHashes().includes('sha256'), crypto.getCurves().includes('prime256v1'), crypto.getCiphers().includes('aes-256-gcm')],
  'as a stream': () => new Promise((done) => { const h = crypto.createHash('md5'); h.on('readable', () => { const d = h.read(); if (d) done(d.toString('hex')); }); h.write('a'); h.end(); }),
  'piped into': () => new Promise((done) => { const h = crypto.createHash('md5'); Readable.from([Buffer.from('a')]).pipe(h).on('finish', () => done(h.digest('hex'))); }),
};

exports.http = (() => {
  const http = require('http');
  const body = (response) => all(response);
  return {
    get: ({ base }) => new Promise((done, fail) => http.get(`${base}/text`, async (r) => done([r.statusCode, r.statusMessage, r.headers['content-type'], await body(r), r.httpVersion])).on('error', fail)),
    'request POST': ({ base }) => new Promise((done, fail) => { const r = http.request(`${base}/echo`, { method: 'POST', headers: { 'Content-Type': 'text/plain' } }, async (a) => done(JSON.parse(await body(a)))); r.on('error', fail); r.write('ab'); r.end('c'); }),
    'options object': ({ base }) => new Promise((done, fail) => { const u = new URL(base); http.request({ hostname: u.hostname, port: u.port, path: '/missing', agent: new http.Agent({ keepAlive: true }) }, (a) => { a.resume(); done(a.statusCode); }).on('error', fail).end(); }),
    'connection refused': () => new Promise((done) => http.get('http://127.0.0.1:9/').on('error', (e) => done([e.code, e.syscall, e.address, e.port]))),
    'destroy': ({ base }) => new Promise((done) => { const r = http.get(`${base}/slow`); r.on('error', (e) => done([e.code, e.message])); setTimeout(() => r.destroy(), 20); }),
    'abort by signal': ({ base }) => new Promise((done) => { const c = new AbortController(); http.get(`${base}/slow`, { signal: c.signal }).on('error', (e) => done([e.name, e.code])); setTimeout(() => c.abort(), 20); }),
    timeout: ({ base }) => new Promise((done) => { const r = http.get(`${base}/slow`, { timeout: 30 }, () => {}); r.on('timeout', () => { r.destroy(); done('timeout'); }); r.on('error', () => {}); }),
    'redirects are the caller\'s': ({ base }) => new Promise((done, fail) => http.get(`${base}/redirect`, (r) => { r.resume(); done([r.statusCode, r.headers.location]); }).on('error', fail)),
    'headers': ({ base }) => new Promise((done, fail) => http.get(`${base}/cookies`, (r) => { r.resume(); done([r.headers['set-cookie'], r.rawHeaders.filter((x) => x.startsWith('a='))]); }).on('error', fail)),
    'setHeader, getHeader': ({ base }) => { const r = http.request(base); r.on('error', () => {}); r.setHeader('X-A', '1'); const got = [r.getHeader('x-a'), r.hasHeader('X-A'), r.method, r.path]; r.destroy(); return got; },
    'invalid header': ({ base }) => http.request(base, { headers: { 'a b': '1' } }),
    'invalid protocol': () => http.get('https://a.b/'),
    'STATUS_CODES, METHODS': () => [http.STATUS_CODES[418], http.STATUS_CODES[200], http.METHODS.includes('PATCH')],
    'globalAgent': () => [http.globalAgent instanceof http.Agent, http.globalAgent.maxSockets],
    'createServer': () => typeof http.createServer,
  };
})();
