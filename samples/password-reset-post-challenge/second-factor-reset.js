/**
 * Second factor for a reset: an email link alone does not change the password of a protected account.
 *
 * Users with an enrolled factor have to pass it. Those who have none go on.
 *
 * Trigger: password-reset-post-challenge
 * Secrets: none
 */
const USABLE = ["webauthn-roaming", "webauthn-platform", "otp", "push-notification"];

exports.onExecutePostChallenge = async (event, api) => {
  const enrolled = (event.user.enrolledFactors ?? []).map((factor) => factor.type);
  const factors = USABLE.filter((type) => enrolled.includes(type)).map((type) => ({ type }));
  if (factors.length === 0) {
    console.log("no factor to ask for, enrolled:", enrolled);
    return;
  }
  api.authentication.challengeWithAny(factors);
};
