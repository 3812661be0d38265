/**
 * Risk decision: refuses a login that a risk service does not trust, before anything is answered.
 *
 * To the caller the refusal looks like a wrong password, so a stolen password is not confirmed. The score goes
 * on to post-login (second-look.js there), which asks for a second factor when it is high. A service that does
 * not answer in time refuses the login as well: the Action fails, and this trigger fails closed.
 *
 * Trigger: post-credential-validation
 * Secrets:
 *   RISK_URL  the risk service
 *   RISK_KEY  our key there
 */
exports.onExecutePostCredentialValidation = async (event, api) => {
  if (!event.credential.valid) return; // it fails anyway, and nothing here could change that

  const response = await fetch(`${event.secrets.RISK_URL}/decisions`, {
    method: "POST",
    headers: { authorization: `Bearer ${event.secrets.RISK_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ user: event.user.user_id, ip: event.request.ip, agent: event.request.user_agent }),
    signal: AbortSignal.timeout(2000), // each login waits for this
  });
  if (!response.ok) throw new Error(`the risk service answers ${response.status}`);

  const { decision, score } = await response.json();
  if (decision === "refuse") {
    api.authentication.deny({ reason: `The risk service refuses the login (score ${score}).` });
    return;
  }
  api.transaction.setMetadata("risk_score", score);
};
