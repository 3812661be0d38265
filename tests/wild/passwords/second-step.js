exports.onExecutePostChallenge = async (event, api) => {
  if (event.authentication.methods.some((method) => method.name === "mfa")) return;
  const factors = event.user.enrolledFactors ?? [];
  const able = factors.filter(({ type }) => type !== "email").map(({ type, options }) => ({ type, options }));
  if (able.length > 1) {
    api.authentication.challengeWithAny(able);
  } else if (able.length === 1) {
    api.authentication.challengeWith(able[0], { additionalFactors: [{ type: "recovery-code" }] });
  } else if (event.connection.metadata?.region === "eu") {
    api.redirect.sendUserTo(`https://help.harbor.example/${event.transaction.locale}/identify`, {
      query: { token: api.redirect.encodeToken({ secret: event.secrets.SHARED, payload: { mail: event.user.email } }) },
    });
  } else {
    api.access.deny("a second factor is needed");
  }
  api.transaction.setResultUrl("https://app.harbor.example/welcome", { query: { reset: "done" } });
};

exports.onContinuePostChallenge = async (event, api) => {
  const { known } = api.redirect.validateToken({ secret: event.secrets.SHARED });
  if (!known) api.access.deny("not identified");
};
