// Node modules that are costly to make, or rarely wanted: each is made when it is first required.

import { provideForPackages, provideLater } from '../modules.js';
import { standIn } from '../refused.js';
import * as streams from 'web-streams-polyfill';
import { asyncHooks } from './async.js';
import { Buffer } from './buffer/index.js';
import { makeDiagnostics } from './diagnostics.js';
import { coded } from './errors.js';
import { errnoConstants, signals } from './system-errors.js';
import { perfHooks } from './performance.js';
import { makeModule } from './module.js';
import { Blob } from '../web/blob.js';
import * as moreStreams from '../web/more-streams.js';
import { makeFs } from './fs/index.js';
import { makeHttp } from './http/index.js';
import { makeZlib } from './zlib.js';
import { process } from './process.js';
import { util } from './util/index.js';

function stream() {
  const made = require('readable-stream/lib/stream.js');
  const { Readable, Writable, Duplex } = made;
  Readable.fromWeb = (source, options) => Readable.from(source, options);
  Readable.toWeb = (source) => streams.ReadableStream.from(source);
  Writable.toWeb = (target) => new streams.WritableStream({
    write: (chunk) => new Promise((resolve, reject) => { target.write(chunk, (error) => (error ? reject(error) : resolve(undefined))); }),
    close: () => new Promise((resolve) => { target.end(resolve); }),
    abort: (reason) => { target.destroy(reason); },
  });
  Writable.fromWeb = (target, options) => {
    const writer = target.getWriter();
    return new Writable({
      ...options,
      write: (chunk, encoding, done) => { writer.write(chunk).then(() => done(), done); },
      final: (done) => { writer.close().then(() => done(), done); },
    });
  };
  made.duplexPair = (options) => {
    const side = (other) => new Duplex({
      ...options, read() {},
      write(chunk, encoding, done) { other().push(chunk, encoding); done(); },
      final(done) { other().push(null); done(); },
    });
    const [one, two] = [side(() => two), side(() => one)];
    return [one, two];
  };
  Duplex.toWeb = (both) => ({ readable: Readable.toWeb(both), writable: Writable.toWeb(both) });
  return made;
}

const os = () => ({
  EOL: '\n', devNull: '/dev/null', constants: { signals, errno: errnoConstants, priority: {}, UV_UDP_REUSEADDR: 4, dlopen: {} },
  arch: () => process.arch, platform: () => process.platform, type: () => 'Linux', release: () => '5.10.0',
  version: () => '', machine: () => 'x86_64', endianness: () => 'LE', hostname: () => 'localhost', homedir: () => '/',
  tmpdir: () => '/tmp', cpus: () => [], availableParallelism: () => 1, totalmem: () => 0, freemem: () => 0,
  loadavg: () => [0, 0, 0], uptime: () => 0, networkInterfaces: () => ({}), getPriority: () => 0, setPriority() {},
  userInfo: () => ({ uid: -1, gid: -1, username: 'action', homedir: '/', shell: null }),
});

const consumers = () => {
  const bytes = async (source) => {
    const parts = [];
    for await (const part of source) parts.push(Buffer.from(part));
    return Buffer.concat(parts);
  };
  const text = async (source) => (await bytes(source)).toString();
  return {
    buffer: bytes, bytes: async (source) => new Uint8Array(await bytes(source)), text, json: async (source) => JSON.parse(await text(source)),
    arrayBuffer: async (source) => new Uint8Array(await bytes(source)).buffer, blob: async (source) => new Blob([await bytes(source)]),
  };
};

/** The package, with Node's error for an encoding that is none. */
function makeDecoder() {
  const { StringDecoder: Plain } = require('string_decoder/');
  function StringDecoder(encoding) {
    if (encoding !== undefined && encoding !== null && !Buffer.isEncoding(encoding)) {
      throw coded(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    }
    return Reflect.construct(Plain, [encoding], new.target ?? StringDecoder);
  }
  StringDecoder.prototype = Plain.prototype;
  return { StringDecoder };
}

export function provideLaterModules() {
  provideLater('stream', stream);
  provideLater('stream/promises', () => stream().promises);
  provideLater('stream/web', () => ({ ...streams, ...moreStreams }));
  provideLater('stream/consumers', consumers);
  provideLater('string_decoder', makeDecoder);
  provideLater('http', (get) => makeHttp('http:', get('stream')));
  provideLater('https', (get) => makeHttp('https:', get('stream')));
  provideLater('zlib', (get) => makeZlib(get('stream'), require('pako')));
  provideLater('punycode', () => require('punycode/'));
  provideLater('os', os);
  provideLater('async_hooks', asyncHooks);
  provideLater('diagnostics_channel', makeDiagnostics);
  provideLater('module', makeModule);
  provideLater('tty', () => ({ isatty: () => false, ReadStream: class ReadStream {}, WriteStream: class WriteStream {} }));
  provideLater('perf_hooks', perfHooks);
  provideLater('constants', () => ({ ...errnoConstants, ...signals }));
  provideLater('sys', () => util);
  let fs;
  const files = (get) => (fs ??= makeFs(standIn, get('stream')));
  provideForPackages('fs', files);
  provideForPackages('fs/promises', (get) => files(get).promises);
}
