/**
 * Legacy session: swaps a session of the old portal for tokens of the new one.
 *
 * The old portal says to whom a session belongs, and when it began, which Actions of post-login can read. An
 * unknown session counts as a failed attempt of the caller's address; a portal that does not answer is
 * nobody's fault and says so.
 *
 * Trigger: custom-token-exchange
 * Secrets:
 *   PORTAL_URL  the old portal
 *   PORTAL_KEY  our key there
 */
exports.onExecuteCustomTokenExchange = async (event, api) => {
  const response = await fetch(`${event.secrets.PORTAL_URL}/sessions/lookup`, {
    method: "POST",
    headers: { "x-key": event.secrets.PORTAL_KEY, "content-type": "application/json" },
    body: JSON.stringify({ session: event.transaction.subject_token }),
  });

  if (response.status === 404) {
    api.access.rejectInvalidSubjectToken("This session of the old portal is unknown or over.");
    return;
  }
  if (!response.ok) {
    api.access.deny("server_error", "The old portal does not answer. Please try again later.");
    return;
  }

  const session = await response.json();
  if (session.locked) {
    api.access.deny("account_locked", "This account is locked.");
    return;
  }
  api.authentication.setUserById(session.user_id);
  api.user.setAppMetadata("migrated_from", "old-portal");
  api.transaction.setMetadata("portal_session", session.started_at ?? null); // for Actions of post-login
};
