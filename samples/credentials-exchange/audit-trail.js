/**
 * Audit trail: every line that an exchange logs carries its correlation id, however deep it is written.
 *
 * The helpers do not pass the id around; it travels in an AsyncLocalStorage, over every await. The quota service
 * has an old callback interface, which util.promisify turns into one to await.
 *
 * Trigger: credentials-exchange
 * Secrets:
 *   QUOTA_URL  the quota service
 */
const { AsyncLocalStorage } = require("node:async_hooks");
const { format, promisify } = require("node:util");

const exchange = new AsyncLocalStorage();
const log = (...words) => console.log(`[${exchange.getStore()?.id ?? "-"}] ${format(...words)}`);

function quotaLeft(url, client, callback) {
  fetch(`${url}/clients/${client}`)
    .then((response) => (response.ok ? response.json() : Promise.reject(new Error(`HTTP ${response.status}`))))
    .then(({ left }) => callback(null, left), callback);
}

async function check(client, url) {
  const left = await promisify(quotaLeft)(url, client.client_id);
  log("%s has %d tokens left", client.name, left);
  return left > 0;
}

exports.onExecuteCredentialsExchange = async (event, api) => {
  const id = event.request.query?.correlation_id ?? "none";
  await exchange.run({ id }, async () => {
    if (await check(event.client, event.secrets.QUOTA_URL)) return log("granted");
    log("refused");
    api.access.deny("invalid_request", "The quota of this month is used up.");
  });
};
