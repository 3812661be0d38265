// Imports a folder with Auth0's deploy tool, exports what is there, and imports that again.
import { deploy, dump } from "auth0-deploy-cli";

const config = {
  AUTH0_DOMAIN: process.env.DOMAIN,
  AUTH0_ACCESS_TOKEN: process.env.TOKEN,
  AUTH0_INCLUDED_ONLY: ["actionModules", "actions", "triggers", "tokenExchangeProfiles", "eventStreams", "emailProvider"],
};
const [input, output] = process.argv.slice(2);
await deploy({ input_file: input, config });
await dump({ output_folder: output, format: "directory", config });
await deploy({ input_file: output, config });
