exports.onExecutePostLogin = async (event, api) => {
  const token = api.redirect.encodeToken({
    secret: event.secrets.SHARED,
    expiresInSeconds: 60,
    payload: { email: event.user.email, continue_uri: `https://${event.request.hostname}/continue` },
  });
  api.redirect.sendUserTo("https://proof.harbor.example/start?from=login", { query: { session_token: token } });
};

exports.onContinuePostLogin = async (event, api) => {
  try {
    const { score, iss } = api.redirect.validateToken({ secret: event.secrets.SHARED, tokenParameterName: "proof" });
    console.log("issuer", iss);
    if (score < 50) throw new Error("score too low");
    api.authentication.recordMethod("https://proof.harbor.example");
    api.user.setAppMetadata("proof", { score, at: new Date().toISOString().slice(0, 4) });
  } catch (e) {
    api.access.deny(e.message);
  }
};
