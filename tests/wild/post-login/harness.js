/* runs in the service and in a harness of its author */
const isService = (api) => !api.noop;

exports.onExecutePostLogin = async (event, api) => {
  const done = api.noop || ((...args) => console.log("service", ...args));
  if (typeof api.experimental?.turbo === "function") api.experimental.turbo();
  if (!api.cache) return;
  api.idToken.setCustomClaim("service", isService(api));
  done("finished", Object.keys(api.access));
};
