// The boundary between guest and host, as types: the one function that the guest calls, and the functions that the host
// and the engine call. The host's side is sandbox/javascript/hostcalls.py, boot.py and run.py.

/** An operation of the host, by its number. Whatever is too large, malformed or not known gives undefined. */
export interface HostCall {
  /** The end of the execution: one of the STATUS_ numbers of host.js and a JSON detail. Returns only after the
   * handler's end, when nobody listens. */
  (complete: 1, status: number, detail: string): void;
  /** One entry of the log; the level is a position in `console.js`. */
  (log: 2, level: number, text: string): void;
  /** A member of `api`, with its arguments as a JSON array: a `Reply` as JSON, or undefined when there is none. */
  (apiCall: 3, path: string, args: string): string | undefined;
  /** Start an operation (`fetch`, say), with JSON arguments: its handle; undefined for what is too large; an
   * `Answer` as JSON once no more may be started. */
  (start: 4, operation: string, args: string): number | string | undefined;
  (cancel: 5, handle: number): void;
  (randomBytes: 6, count: number): Uint8Array<ArrayBuffer> | undefined;
  /** A digest, or with `key` a HMAC. */
  (digest: 7, algorithm: string, bytes: Uint8Array, key?: Uint8Array): Uint8Array<ArrayBuffer> | undefined;
  /** Text of bytes; undefined when they are malformed and `fatal` is 1. */
  (decodeText: 8, encoding: string, bytes: Uint8Array, fatal: 0 | 1): string | undefined;
  (encodeText: 9, text: string): Uint8Array<ArrayBuffer>;
  /** The state of a promise (0 pending, 1 fulfilled, 2 rejected). */
  (promiseState: 10, value: unknown, what: 0): number | undefined;
  (promiseResult: 10, value: unknown, what: 1): unknown;
  /** Cryptography (sandbox/hostcrypto), with JSON arguments: an `Answer` as JSON. */
  (compute: 11, operation: string, args: string): string;
  /** What the host knows of languages and time zones, as JSON (sandbox/javascript/locales.py). */
  (localeText: 12, area: string, key: string): string | undefined;
  /** V8's message for an error that the engine made. */
  (explainError: 13, message: string, frame: string): string | undefined;
  /** A question about the files of packages; `packages/files.js` spells what it is (sandbox/javascript/packages/calls.py). */
  (packageFile: 14, what: number, path: string, name?: string): any;
}

/** An error of the host, which becomes one of the guest's. */
export interface HostError {
  name?: string;
  message: string;
  code?: string;
  /** Which rule refused a request (sandbox/egress). */
  rule?: string;
  /** The system's name for what failed. */
  system?: string;
}

/** How an operation of the host ended. */
export type Answer = { id?: number; ok?: any; error?: undefined } | { id?: number; ok?: undefined; error: HostError };

/** The host's reply to a member of `api`: a result, an error, and values to put into the event, by path. */
export interface Reply {
  ok?: any;
  error?: HostError;
  event?: [path: string[], value: any][];
}

/** Members of `api`: namespaces are objects; methods are numbers that say what they return, or arrays that begin with
 * one and go on with where errors stand for their messages (sandbox/javascript/surface.py). */
export interface Surface {
  [name: string]: any;
}

/** A tenant's source as a CommonJS function. */
export type Program = (exports: any, require: Function, module: any, filename: string, path: string) => unknown;

/** What the host calls once for each execution. */
export interface StartRequest {
  handler?: string;
  event?: any;
  /** Without a surface: handlers to look for beside those that are listed. */
  wanted?: string[];
  /** The secrets of shared modules, by module. */
  modules?: Record<string, Record<string, string>>;
}

/** What `install` gives to the host. */
export interface Guest {
  prepare(program: Program, about: { filename: string; surface?: Surface }): void;
  start(request: StartRequest): unknown;
  poll(): number;
  resume(answer?: string): void;
  adopt(result: unknown): Promise<unknown>;
  fail(error: unknown): void;
  tell(reason: unknown): void;
  over(): void;
  equip(what: string, name: string, value: any): string | undefined;
  /** Called by the engine for each handler of a reaction while `flags[0]` is set. */
  bind<T>(callback: T): T;
  flags: Uint8Array;
  /** Called by the engine for each error that it makes. */
  explain(error: Error): void;
  stackGetter: () => unknown;
  stackSetter: (value: unknown) => void;
}
