/**
 * Scopes by client: a machine gets the scopes that its metadata lists, and no others.
 *
 * The metadata entry `scopes` lists them, separated by blanks. A machine without that entry gets none,
 * and one that asks for something else is refused rather than served in part.
 *
 * Trigger: credentials-exchange
 * Secrets: none
 */
exports.onExecuteCredentialsExchange = async (event, api) => {
  const allowed = new Set((event.client.metadata.scopes ?? "").split(/\s+/).filter(Boolean));
  const requested = event.transaction.requested_scopes;

  const refused = requested.filter((scope) => !allowed.has(scope));
  if (refused.length > 0) {
    console.warn(`${event.client.name} asked for`, refused, "and may have", [...allowed]);
    api.access.deny("invalid_scope", `Not granted to this application: ${refused.join(" ")}`);
    return;
  }

  api.transaction.setTargetScopes(requested.length > 0 ? requested : [...allowed]);
  api.accessToken.setCustomClaim("https://harbor.example/machine", event.client.name);
};
