/**
 * Maintenance window: no machine tokens while an API is being worked on.
 *
 * A status page says which APIs are closed. Its answer is kept for a minute, so that a burst of token
 * requests costs one call; when it cannot be had the API counts as open.
 *
 * Trigger: credentials-exchange
 * Secrets:
 *   STATUS_URL  address of the status page's JSON
 */
async function closedApis(event, cache) {
  const kept = cache.get("closed-apis");
  if (kept) {
    return JSON.parse(kept.value);
  }
  const response = await fetch(event.secrets.STATUS_URL, { signal: AbortSignal.timeout(1500) });
  if (!response.ok) {
    throw new Error(`status page: HTTP ${response.status}`);
  }
  const { closed } = await response.json();
  cache.set("closed-apis", JSON.stringify(closed), { ttl: 60_000 });
  return closed;
}

exports.onExecuteCredentialsExchange = async (event, api) => {
  const audience = event.resource_server.identifier;
  try {
    const closed = await closedApis(event, api.cache);
    if (closed.includes(audience)) {
      api.access.deny("server_error", `${audience} is closed for maintenance, please try again later.`);
    }
  } catch (error) {
    console.error("counts as open:", error.message);
  }
};
