exports.onExecutePostLogin = async (event, api) => {
  const acr = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";
  const wanted = event.transaction?.acr_values?.includes(acr);
  const done = event.authentication?.methods?.find(({ name }) => name === "mfa");
  const exempt = ["oauth2-refresh-token", "oauth2-token-exchange"].includes(event.transaction?.protocol);
  if (wanted && !done && !exempt) {
    api.multifactor.enable("any", { allowRememberBrowser: false });
  } else if (event.client.metadata?.skip_mfa === "true") {
    api.multifactor.enable("none");
  }
};
