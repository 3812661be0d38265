// Peer: quickjs-emscripten, a fresh runtime and context for each execution, limited in memory and time. All of
// them share the memory of one WebAssembly instance, as its documentation recommends.
'use strict';
const { getQuickJS, shouldInterruptAfterDeadline } = require('quickjs-emscripten');
const { AROUND, serve } = require('./blocks.js');

const MEMORY_BYTES = 128 << 20;
const TIMEOUT_MS = 20_000;

getQuickJS().then((QuickJS) =>
  serve(async (text) => {
    const runtime = QuickJS.newRuntime();
    runtime.setMemoryLimit(MEMORY_BYTES);
    runtime.setInterruptHandler(shouldInterruptAfterDeadline(Date.now() + TIMEOUT_MS));
    const context = runtime.newContext();
    try {
      const run = context.unwrapResult(context.evalCode(`${AROUND}; run;`, 'action.js', { type: 'global' }));
      const given = context.newString(text);
      const promise = context.unwrapResult(context.callFunction(run, context.undefined, given));
      const settled = context.resolvePromise(promise);
      runtime.executePendingJobs().unwrap();
      const outcome = context.unwrapResult(await settled);
      const commands = JSON.parse(context.getString(outcome));
      for (const handle of [run, given, promise, outcome]) handle.dispose();
      return commands;
    } finally {
      context.dispose();
      runtime.dispose();
    }
  }),
);
