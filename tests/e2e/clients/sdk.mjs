// Drives the service with Auth0's Node SDK; prints what it saw as JSON.
import { ManagementClient } from "auth0";

const client = new ManagementClient({
  domain: process.env.DOMAIN,
  clientId: process.env.CLIENT_ID,
  clientSecret: process.env.CLIENT_SECRET,
  audience: `https://${process.env.DOMAIN}/api/v2/`,
});
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const all = async (pages) => {
  const items = [];
  for await (const item of await pages) items.push(item);
  return items;
};
const built = async (id) => {
  for (let left = 300; left > 0; left -= 1) {
    const action = await client.actions.get(id);
    if (action.status === "built") return action;
    await wait(50);
  }
  throw new Error("not built in time");
};

const seen = {};
const module = await client.actions.modules.create({ name: "node-sdk", code: "exports.one = 1;" });
const published = await client.actions.modules.versions.create(module.id);
const action = await client.actions.create({
  name: "from node",
  supported_triggers: [{ id: "post-login", version: "v3" }],
  code: "const { one } = require('actions:node-sdk');\nexports.onExecutePostLogin = async () => { throw new RangeError('no ' + one); };",
  secrets: [{ name: "KEY", value: "node-secret-value" }],
  modules: [{ module_id: module.id, module_version_id: published.id }],
});
seen.created = action.status;
await built(action.id);
const test = await client.actions.test(action.id, { payload: {} });
seen.test = test.payload.error.message;
seen.deployed = (await client.actions.deploy(action.id)).number;
const bound = await client.actions.triggers.bindings.updateMany("post-login", {
  bindings: [{ ref: { type: "action_name", value: "from node" }, display_name: "node" }],
});
seen.bound = bound.bindings.map((binding) => binding.display_name);
await client.actions.update(action.id, { code: "exports.onExecutePostLogin = async () => {};" });
await built(action.id);
seen.redeployed = (await client.actions.deploy(action.id)).number;
const versions = await all(client.actions.versions.list(action.id));
seen.versions = versions.map((version) => version.number);
seen.rolledBack = (await client.actions.versions.deploy(action.id, versions[1].id, { update_draft: true })).number;
seen.actions = (await all(client.actions.list({ actionName: "from node" }))).map((item) => item.name);
seen.bindings = (await all(client.actions.triggers.bindings.list("post-login"))).length;
seen.triggers = (await client.actions.triggers.list()).triggers.length > 10;
seen.users = (await all(client.actions.modules.listActions(module.id))).map((item) => item.action_name);
try {
  await client.actions.get("1b8e4a34-0000-4000-8000-000000000000");
} catch (error) {
  seen.missing = [error.statusCode, error.body?.message ?? error.message];
}
await client.actions.delete(action.id, { force: true });
const deployed = async (name, trigger, code) => {
  const made = await client.actions.create({ name, supported_triggers: [{ id: trigger, version: "v1" }], code });
  await built(made.id);
  await client.actions.deploy(made.id);
  return made.id;
};
const swap = await deployed(
  "exchange node",
  "custom-token-exchange",
  "exports.onExecuteCustomTokenExchange = async (event, api) => api.authentication.setUserById('u');",
);
const profiles = [];
for (const index of [0, 1, 2]) {
  profiles.push(
    await client.tokenExchangeProfiles.create({
      name: `Profile ${index}`,
      subject_token_type: `urn:node:type-${index}`,
      action_id: swap,
      type: "custom_authentication",
    }),
  );
}
await client.tokenExchangeProfiles.update(profiles[0].id, { name: "Renamed" });
seen.profiles = (await all(client.tokenExchangeProfiles.list({ take: 2 }))).map((profile) => profile.name);
for (const { id } of profiles) await client.tokenExchangeProfiles.delete(id);
await client.actions.delete(swap);
await client.actions.modules.delete(module.id);
const sink = await deployed("sink node", "event-stream", "exports.onExecuteEventStream = async () => {};");
const streams = [];
for (const name of ["one", "two"]) {
  streams.push(
    await client.eventStreams.create({
      name,
      subscriptions: [{ event_type: "user.created" }],
      destination: { type: "action", configuration: { action_id: sink } },
    }),
  );
}
seen.streams = (await all(client.eventStreams.list({ take: 1 }))).map((stream) => stream.name);
await client.eventStreams.test(streams[0].id, { event_type: "user.created" });
await all(client.eventStreams.deliveries.list(streams[0].id));
seen.stream = (await client.eventStreams.update(streams[0].id, { status: "disabled" })).status;
seen.logs = (await all(client.logs.list({ per_page: 5 }))).every((entry) => entry.log_id && entry.details);
for (const { id } of streams) await client.eventStreams.delete(id);
seen.left = (await all(client.actions.list())).length;
seen.secretShown = JSON.stringify([action, versions, test]).includes("node-secret-value");
console.log(JSON.stringify(seen));
