// Errors that the engine makes itself get V8's words as they are made: the engine calls `explain` with each
// (sandbox/javascript/quickjs/engine_patch.py). The host has the words, because some show a piece of the source.

import { explainError } from './host.js';
import { defineHidden, descriptorOf, rawStack, stringIndexOf, stringSlice } from './primordials.js';

export function explain(error) {
  const message = descriptorOf(error, 'message')?.value;
  if (typeof message !== 'string') return;
  const stack = rawStack(error);
  const end = typeof stack === 'string' ? stringIndexOf(stack, '\n') : -1;
  const words = explainError(message, end < 0 ? '' : stringSlice(stack, 0, end));
  if (words !== undefined) defineHidden(error, 'message', words);
}
