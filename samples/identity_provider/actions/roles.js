exports.onExecutePostLogin = async (event, api) => {
  const namespace = "https://harbor.example";
  api.idToken.setCustomClaim(`${namespace}/roles`, event.authorization.roles);
  api.accessToken.setCustomClaim(`${namespace}/mfa`, event.authentication.methods.some(({ name }) => name === "mfa"));
};
