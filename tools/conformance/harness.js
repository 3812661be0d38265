// Runs probes and tells what came of each: text as Node's inspect shows it, or the error.

const { inspect } = require('util');

function told(error) {
  if (error === null || typeof error !== 'object') return `threw ${inspect(error)}`;
  const code = error.code === undefined ? '' : ` [${error.code}]`;
  const own = error.code !== undefined || !['TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'Error'].includes(error.name);
  return `throws ${error.name}${code}${own ? `: ${error.message}` : ''}`; // words of the engine's own errors are its own
}

async function probed(probe, context) {
  try {
    return inspect(await probe(context), { depth: 6, breakLength: Infinity, maxArrayLength: 40 });
  } catch (error) {
    return told(error);
  }
}

async function answers(sets, context) {
  const found = {};
  for (const [area, probes] of Object.entries(sets)) {
    for (const [name, probe] of Object.entries(probes)) found[`${area} | ${name}`] = await probed(probe, context);
  }
  return found;
}
