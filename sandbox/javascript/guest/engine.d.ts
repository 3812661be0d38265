// What the guest finds around it before it has installed anything: the engine's globals beyond ECMAScript, what Node
// puts on errors, and the packages of ../package.json. Nothing that the guest installs for Actions is declared, so that
// the type check refuses a use of it: an Action may replace those, and the guest imports its own.

declare var performance: { now(): number; readonly timeOrigin: number };
declare function queueMicrotask(callback: () => void): void;
declare function atob(data: string): string;
declare function btoa(data: string): string;

/** What the engine throws where no error of ECMAScript's fits, as when memory ends. */
interface InternalError extends Error {}
declare var InternalError: new (message?: string) => InternalError;

interface DOMException extends Error {
  readonly code: any;
}
declare var DOMException: {
  prototype: DOMException;
  new (message?: string, name?: string): DOMException;
};

interface ErrorConstructor {
  captureStackTrace(target: object, below?: Function): void;
}

/** Members of Node's errors. */
interface Error {
  code?: string;
  errno?: number;
  syscall?: string;
  path?: string;
  dest?: string;
  address?: string;
  port?: number;
  hostname?: string;
  rule?: string;
  input?: string;
  base?: string;
  context?: unknown;
  reason?: unknown;
  generatedMessage?: boolean;
  requireStack?: string[];
}

/** Descriptors are made without a prototype, on which an Action could put members. */
interface PropertyDescriptor {
  __proto__?: null;
}
interface ProxyHandler<T extends object> {
  __proto__?: null;
}

/** Packages: resolved by the bundler. None of their types is worth what installing them costs. */
declare function require(name: string): any;
declare module 'assert';
declare module 'buffer';
declare module 'events';
declare module 'make-plural';
declare module 'make-plural/pluralCategories';
declare module 'node-inspect-extracted';
declare module 'pako';
declare module 'path-browserify';
declare module 'punycode/';
declare module 'querystring-es3';
declare module 'readable-stream/lib/stream.js';
declare module 'resolve.exports';
declare module 'string_decoder/';
declare module 'url';
declare module 'web-streams-polyfill';
declare module 'whatwg-url';
