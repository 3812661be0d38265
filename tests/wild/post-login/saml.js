const MAPPING = {
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": (user) => user.email,
  "urn:harbor:groups": (user) => user.app_metadata.groups,
  "urn:harbor:admin": (user) => Boolean(user.app_metadata.admin),
  "urn:harbor:gone": () => null,
};

exports.onExecutePostLogin = async (event, api) => {
  if (event.transaction.protocol !== "samlp") return;
  for (const [name, read] of Object.entries(MAPPING)) {
    const value = read(event.user);
    if (value !== undefined) api.samlResponse.setAttribute(name, value);
  }
  api.samlResponse.setNameIdentifierProbes(["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"]);
  api.samlResponse.setLifetimeInSeconds(600);
  api.samlResponse.setSignResponse(true);
};
