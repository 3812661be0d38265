// Peer: the same Action in native Node, a fresh `vm` context per execution (no security boundary).
// Reads the event from stdin, prints milliseconds as JSON.
'use strict';
const fs = require('node:fs');
const vm = require('node:vm');

const event = fs.readFileSync(0, 'utf8');
const runs = Number(process.argv[2]);
const script = new vm.Script(`
  exports.onExecutePostLogin = async (event, api) => {
    if (event.user.email_verified) api.idToken.setCustomClaim('https://bench.example/plan', event.client.name);
  };`);

async function once() {
  const commands = [];
  const exports = {};
  const context = vm.createContext({ exports, console: {} });
  script.runInContext(context);
  const api = { idToken: { setCustomClaim: (...args) => commands.push(args) } };
  await exports.onExecutePostLogin(JSON.parse(event), api);
}

(async () => {
  const samples = [];
  for (let i = 0; i < runs + 20; i++) {
    const start = process.hrtime.bigint();
    await once();
    if (i >= 20) samples.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  process.stdout.write(JSON.stringify(samples));
})();
