/**
 * Identity proof: resets from another country take a detour over an identity service.
 *
 * The country of the last login is expected in app_metadata as `home_country`. The service answers with
 * a signed token; anything but a confirmed identity stops the reset.
 *
 * Trigger: password-reset-post-challenge
 * Secrets:
 *   PROOF_URL     the identity service
 *   PROOF_SECRET  shared with it; signs the tokens of both sides
 */
exports.onExecutePostChallenge = async (event, api) => {
  const home = event.user.app_metadata.home_country;
  const here = event.request.geoip.countryCode;
  if (!home || home === here) {
    return;
  }

  console.warn(`reset for a user of ${home} asked for from ${here}`);
  const token = api.redirect.encodeToken({
    secret: event.secrets.PROOF_SECRET,
    payload: { home, here },
  });
  api.redirect.sendUserTo(event.secrets.PROOF_URL, { query: { token } });
};

exports.onContinuePostChallenge = async (event, api) => {
  const { confirmed } = api.redirect.validateToken({
    secret: event.secrets.PROOF_SECRET,
    tokenParameterName: "proof",
  });
  if (!confirmed) {
    api.access.deny("Your identity was not confirmed.");
  }
};
