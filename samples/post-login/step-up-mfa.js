/**
 * Step-up, first half: a login that asks for a sensitive scope needs a second factor.
 *
 * Bind it before `confirm_step_up.py`: the result of a challenge is visible to the next Action only.
 *
 * Trigger: post-login
 * Secrets: none
 */
const SENSITIVE_SCOPES = new Set(["transfer:berths", "read:invoices"]);

exports.onExecutePostLogin = async (event, api) => {
  const asked = (event.transaction?.requested_scopes ?? []).filter((s) => SENSITIVE_SCOPES.has(s));
  if (asked.length === 0) {
    return;
  }

  const done = event.authentication?.methods ?? [];
  if (done.some((method) => method.name === "mfa" || method.name === "passkey")) {
    console.log("second factor is there already");
    return;
  }

  console.log("second factor wanted for", asked);
  api.authentication.challengeWith(
    { type: "push-notification", options: { otpFallback: true } },
    { additionalFactors: [{ type: "otp" }, { type: "phone", options: { preferredMethod: "sms" } }] },
  );
};
