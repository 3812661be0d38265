/**
 * Audit: reports every changed password to the security monitoring.
 *
 * Sends the facts and never the address itself: the monitoring knows users by id.
 *
 * Trigger: post-change-password
 * Secrets:
 *   SIEM_URL    collector of the monitoring
 *   SIEM_TOKEN  its ingestion token
 */
exports.onExecutePostChangePassword = async (event) => {
  const { user, request, connection, tenant, transaction } = event;
  const entry = {
    time: user.last_password_reset ?? new Date().toISOString(),
    kind: "password_changed",
    tenant: tenant.id,
    user: user.user_id,
    connection: connection.name,
    source: { ip: request.ip, country: request.geoip.countryCode, agent: request.user_agent },
    correlation_id: transaction?.correlation_id,
  };

  const response = await fetch(event.secrets.SIEM_URL, {
    method: "POST",
    headers: {
      authorization: `Token ${event.secrets.SIEM_TOKEN}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ entries: [entry] }),
  });
  if (!response.ok) {
    throw new Error(`not audited: HTTP ${response.status} ${await response.text()}`);
  }
};
