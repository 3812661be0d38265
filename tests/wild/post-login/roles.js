exports.onExecutePostLogin = async (event, api) => {
  const namespace = "https://harbor.example";
  if (event.authorization) {
    api.idToken.setCustomClaim(`${namespace}/roles`, event.authorization.roles);
    api.accessToken.setCustomClaim(`${namespace}/roles`, event.authorization.roles);
  }
  const { app_metadata: { customer_no: customer, plan = "free" } = {} } = event.user;
  api.accessToken.setCustomClaim(`${namespace}/customer`, { customer, plan });
  // not under a namespace: leaves no trace in the token, and is no error
  api.accessToken.setCustomClaim("roles", ["lost"]);
  api.idToken.setCustomClaim("https://harbor.auth0.com/roles", ["lost"]);
  api.idToken.setCustomClaim("favourite_pier", event.user.user_metadata.pier ?? null);
};
