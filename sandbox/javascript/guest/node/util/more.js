// Members of util that few programs use.

import { inspect } from '../../inspect.js';
import { AbortController, AbortSignal } from '../../web/abort.js';
import { coded, demandText, wrongType, wrongValue } from '../errors.js';
import { systemErrors } from '../system-errors.js';

export function styleText(format, text) {
  demandText(text, 'text');
  let [before, after] = ['', ''];
  for (const name of Array.isArray(format) ? format : [format]) {
    if (name === 'none') continue;
    const codes = Object.hasOwn(inspect.colors, name) ? inspect.colors[name] : undefined;
    if (codes === undefined) {
      const names = Object.keys(inspect.colors).map((one) => `'${one}'`).join(', ');
      throw wrongValue('format', `must be one of: ${names}`, name);
    }
    before += `\u001b[${codes[0]}m`;
    after = `\u001b[${codes[1]}m${after}`;
  }
  return before + text + after;
}

export function getSystemErrorName(number) {
  if (typeof number !== 'number') throw wrongType('err', 'of type number', number);
  if (!Number.isInteger(number) || number >= 0) {
    throw coded(RangeError, 'ERR_OUT_OF_RANGE', `The value of "err" is out of range. It must be a negative integer. Received ${number}`);
  }
  return systemErrors.get(number)?.[0] ?? `Unknown system error ${number}`;
}

export const getSystemErrorMap = () => new Map([...systemErrors].map(([number, entry]) => [number, [...entry]]));
export const getSystemErrorMessage = (number) => systemErrors.get(number)?.[1];

export function aborted(signal, resource) {
  if (!(signal instanceof AbortSignal)) throw wrongType('signal', 'an instance of AbortSignal', signal);
  if (typeof resource !== 'object' || resource === null) throw wrongType('resource', 'of type object', resource);
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => { signal.addEventListener('abort', resolve, { once: true }); });
}

export function parseEnv(content) {
  demandText(content, 'content');
  const made = {};
  const line = /^\s*(?:export\s+)?([\w.-]+)\s*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|`([^`]*)`|([^\n#]*))[^\n]*$/gm;
  for (const [, name, double, single, tick, plain] of content.matchAll(line)) {
    made[name] = double?.replace(/\\n/g, '\n') ?? single ?? tick ?? plain.trim();
  }
  return made;
}

export function getCallSites(count = 10) {
  const lines = new Error().stack.split('\n').slice(1);
  return lines.slice(0, typeof count === 'number' ? count : 10).map((line) => {
    const [, functionName = '', scriptName, lineNumber, columnNumber] = /at (?:(.*) \()?(.*?):(\d+):(\d+)\)?$/.exec(line) ?? [];
    return { functionName, scriptId: '0', scriptName, lineNumber: Number(lineNumber), columnNumber: Number(columnNumber), column: Number(columnNumber) };
  });
}

export const transferableAbortController = () => new AbortController();
export const transferableAbortSignal = (signal) => signal;
