// The one door to the host. Operation numbers are those of sandbox/javascript/hostcalls.py.

/** @type {import('./boundary.js').HostCall} */
let call;

/** Called once, while the image is built.
 * @param {import('./boundary.js').HostCall} hostFunction */
export function connect(hostFunction) {
  call = hostFunction;
}

export const STATUS_THROWN = 1;
export const STATUS_NO_HANDLER = 2;
export const STATUS_EXPORTS = 3;

/** Report an end other than the handler's own. Does not return: the host stops the instance. */
export const complete = (status, detail) => call(1, status, detail);
export const log = (level, text) => call(2, level, text);
/** Reply JSON, or undefined. */
export const apiCall = (path, argumentsJson) => call(3, path, argumentsJson);
/** A handle; undefined for what is too large; an answer, as text, once no more may be started. */
export const start = (operation, argumentsJson) => call(4, operation, argumentsJson);
export const cancel = (handle) => call(5, handle);
export const randomBytes = (count) => call(6, count);
export const digest = (algorithm, bytes, key) =>
  key === undefined ? call(7, algorithm, bytes) : call(7, algorithm, bytes, key);
export const decodeText = (encoding, bytes, fatal) => call(8, encoding, bytes, fatal ? 1 : 0);
export const encodeText = (text) => call(9, text);
export const promiseState = (value) => call(10, value, 0);
export const promiseResult = (value) => call(10, value, 1);
/** Answer JSON: {ok} or {error}. See sandbox/hostcrypto. */
export const compute = (operation, argumentsJson) => call(11, operation, argumentsJson);
/** V8's words for an error of the engine with this first line of its stack, or undefined. See sandbox/javascript/errors/v8_messages.py. */
export const explainError = (message, frame) => call(13, message, frame);
/** About the files of packages. See sandbox/javascript/packages/calls.py; packages/files.js spells what it answers. */
export const packageFile = (what, path, name) => (name === undefined ? call(14, what, path) : call(14, what, path, name));
/** JSON text of what the host knows of languages and time zones, or undefined. See sandbox/javascript/locales.py. */
export const localeText = (area, key) => call(12, area, key);
