// Peer: native Node, a fresh `vm` context for each execution (no security boundary, no limits).
'use strict';
const vm = require('node:vm');
const { ACTION, serve } = require('./blocks.js');

const script = new vm.Script(ACTION);

serve(async (text) => {
  const commands = [];
  const exports = {};
  const context = vm.createContext({ exports, console: {} });
  script.runInContext(context);
  const api = { idToken: { setCustomClaim: (...given) => commands.push(given) } };
  await exports.onExecutePostLogin(JSON.parse(text), api);
  return commands;
});
