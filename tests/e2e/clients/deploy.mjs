// Imports or exports a folder with Auth0's deploy tool: deploy.mjs (deploy|dump) FOLDER ...
import { deploy, dump } from "auth0-deploy-cli";

const config = {
  AUTH0_DOMAIN: process.env.DOMAIN,
  AUTH0_ACCESS_TOKEN: process.env.TOKEN,
  AUTH0_INCLUDED_ONLY: ["actionModules", "actions", "triggers", "tokenExchangeProfiles", "eventStreams", "emailProvider"],
};
const steps = process.argv.slice(2);
while (steps.length) {
  const [step, folder] = steps.splice(0, 2);
  if (step === "dump") await dump({ output_folder: folder, format: "directory", config });
  else await deploy({ input_file: folder, config });
}
