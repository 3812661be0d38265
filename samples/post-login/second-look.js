/**
 * Second look: asks for a second factor when the check of the password left a doubt.
 *
 * The score comes from an Action of post-credential-validation (risk-decision.js there), by the transaction's
 * metadata. Nobody may tick away the question in this browser.
 *
 * Trigger: post-login
 * Secrets: none
 */
exports.onExecutePostLogin = async (event, api) => {
  const score = Number(event.transaction?.metadata?.risk_score ?? 0);
  if (score > 0.5) api.multifactor.enable("any", { allowRememberBrowser: false });
};
