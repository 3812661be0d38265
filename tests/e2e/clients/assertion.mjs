// Logs in with signed assertions instead of a secret: Auth0's Node SDK, then the deploy tool, which exports what the
// SDK made. Prints what it saw as JSON.
import { readFileSync } from "node:fs";
import { ManagementClient } from "auth0";
import { dump } from "auth0-deploy-cli";

const [keyFile, folder] = process.argv.slice(2);
const { DOMAIN, CLIENT_ID } = process.env;
const client = new ManagementClient({
  domain: DOMAIN,
  clientId: CLIENT_ID,
  clientAssertionSigningKey: readFileSync(keyFile, "utf8"),
  clientAssertionSigningAlg: "RS384",
  audience: `https://${DOMAIN}/api/v2/`,
});
const seen = { triggers: (await client.actions.triggers.list()).triggers.length > 10 };
const action = await client.actions.create({
  name: "by assertion",
  supported_triggers: [{ id: "post-login", version: "v3" }],
  code: "exports.onExecutePostLogin = async () => {};",
});
seen.created = action.status;
await dump({
  output_folder: folder,
  format: "directory",
  config: {
    AUTH0_DOMAIN: DOMAIN,
    AUTH0_CLIENT_ID: CLIENT_ID,
    AUTH0_CLIENT_SIGNING_KEY_PATH: keyFile,
    AUTH0_CLIENT_SIGNING_ALGORITHM: "RS256",
    AUTH0_INCLUDED_ONLY: ["actions"],
  },
});
await client.actions.delete(action.id, { force: true });
console.log(JSON.stringify(seen));
