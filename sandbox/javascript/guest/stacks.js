// `error.stack` as V8 writes it, in the tenant's own files only.
//
// The engine keeps `    at name (file:line:column)` lines and no headline. Frames of the prelude say
// nothing to a tenant and are left out.

import {
  ErrorCtor, defineHidden, defineProperty, descriptorOf, rawStack, stringEndsWith, stringIndexOf, stringSlice,
  stringSplit, stringStartsWith, toText,
} from './primordials.js';

export const OWN_FILE = 'actionbox:';
const AT = '    at ';
const { captureStackTrace: nativeCapture } = ErrorCtor;

/** The engine's frames in V8's spelling, without ours and without what ours called natively. */
export function frames(raw) {
  const lines = stringSplit(raw, '\n');
  let text = '';
  let native = '';
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index];
    if (!stringStartsWith(line, AT)) continue;
    if (stringIndexOf(line, OWN_FILE) >= 0) {
      native = '';
    } else if (stringEndsWith(line, ' (native)')) {
      native += '\n' + spelled(line);
    } else {
      text += native + '\n' + spelled(line);
      native = '';
    }
  }
  return text;
}

function spelled(line) {
  const open = stringIndexOf(line, ' (');
  if (open < 0) return line;
  const where = stringSlice(line, open + 2, -1);
  if (where === 'native') return stringSlice(line, 0, open) + ' (<anonymous>)';
  return stringStartsWith(line, AT + '<anonymous>') ? AT + where : line;
}

/** `Name: message`, as Error.prototype.toString has it. */
function headline(error) {
  const name = error.name === undefined ? 'Error' : toText(error.name);
  const message = error.message === undefined ? '' : toText(error.message);
  if (name === '') return message;
  return message === '' ? name : name + ': ' + message;
}

/** Whether `stack` is the engine's own text, and not what a tenant's prepareStackTrace made. */
const isRaw = (stack) => typeof stack === 'string' && (stack === '' || stringStartsWith(stack, AT));

const formatted = {
  get stack() {
    const raw = rawStack(this);
    return isRaw(raw) ? headline(this) + frames(raw) : raw;
  },
  set stack(value) {
    defineHidden(this, 'stack', value);
  },
};

export const { captureStackTrace } = {
  captureStackTrace(target, below) {
    nativeCapture(target, below === undefined ? captureStackTrace : below);
    const raw = descriptorOf(target, 'stack')?.value;
    if (isRaw(raw)) defineHidden(target, 'stack', headline(target) + frames(raw));
  },
};

export function installStacks() {
  const { get, set } = descriptorOf(formatted, 'stack');
  defineProperty(ErrorCtor.prototype, 'stack', { __proto__: null, get, set, enumerable: false, configurable: true });
  defineHidden(ErrorCtor, 'captureStackTrace', captureStackTrace);
}
