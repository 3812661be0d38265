// What the JavaScript peers share: the Action, and running it in blocks (see __init__.py).
'use strict';
const readline = require('node:readline');

const ACTION = `
  exports.onExecutePostLogin = async (event, api) => {
    if (event.user.email_verified) api.idToken.setCustomClaim('https://bench.example/plan', event.client.name);
  };`;

/**
 * What a sandbox that shares no objects with its host has around the Action: text goes in, text comes out.
 * `run(text)` is a promise of the commands as JSON.
 */
const AROUND = `
  const exports = {};
  const commands = [];
  const api = { idToken: { setCustomClaim: (...given) => { commands.push(given); } } };
  ${ACTION}
  const run = (text) => exports.onExecutePostLogin(JSON.parse(text), api).then(() => JSON.stringify(commands));
`;

/** `once(text)` executes the Action on the event `text` and gives its commands. */
async function serve(once) {
  let event;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (event === undefined) {
      event = line;
      continue;
    }
    const samples = [];
    for (let left = Number(line); left > 0; left -= 1) {
      const start = process.hrtime.bigint();
      const commands = await once(event);
      samples.push(Number(process.hrtime.bigint() - start) / 1e6);
      if (commands.length !== 1) throw new Error(`one command is expected, not ${JSON.stringify(commands)}`);
    }
    process.stdout.write(`${JSON.stringify(samples)}\n`);
  }
}

module.exports = { ACTION, AROUND, serve };
