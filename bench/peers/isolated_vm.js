// Peer: isolated-vm, a fresh V8 isolate for each execution, limited in memory and time. The Action's bytecode
// is made once, as a build would.
'use strict';
const ivm = require('isolated-vm');
const { AROUND, serve } = require('./blocks.js');

const MEMORY_MIB = 128;
const TIMEOUT_MS = 20_000;
const SOURCE = `${AROUND}; run;`;

const builder = new ivm.Isolate();
const { cachedData } = builder.compileScriptSync(SOURCE, { produceCachedData: true });
builder.dispose();

serve(async (text) => {
  const isolate = new ivm.Isolate({ memoryLimit: MEMORY_MIB });
  try {
    const context = await isolate.createContext();
    const script = await isolate.compileScript(SOURCE, { cachedData });
    const run = await script.run(context, { timeout: TIMEOUT_MS, reference: true });
    const options = { timeout: TIMEOUT_MS, result: { promise: true, copy: true } };
    return JSON.parse(await run.apply(undefined, [text], options));
  } finally {
    isolate.dispose();
  }
});
