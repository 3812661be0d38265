const request = async (path, { token, ...options }, domain) => {
  const response = await fetch(`https://${domain}${path}`, {
    ...options,
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
};

async function managementToken(event, api) {
  const cached = api.cache.get("management-token");
  if (cached?.value) return cached.value;
  const { CLIENT_ID: client_id, CLIENT_SECRET: client_secret, DOMAIN } = event.secrets;
  const body = JSON.stringify({ grant_type: "client_credentials", client_id, client_secret });
  const { access_token, expires_in } = await request("/oauth/token", { method: "POST", body }, DOMAIN);
  const stored = api.cache.set("management-token", access_token, { ttl: (expires_in - 60) * 1000 });
  if (stored.type === "error") console.warn("token is not cached:", stored.code);
  return access_token;
}

exports.onExecutePostLogin = async (event, api) => {
  if (event.connection.strategy !== "google-oauth2" || event.user.identities.length > 1) return;
  const token = await managementToken(event, api);
  const query = new URLSearchParams({ email: event.user.email.toLowerCase() });
  const users = await request(`/api/v2/users-by-email?${query}`, { token }, event.secrets.DOMAIN);
  const [primary] = users
    .filter((user) => user.user_id !== event.user.user_id && user.email_verified)
    .sort((a, b) => new Date(a.created_at) - new Date(b.created_at));
  if (!primary) return;

  const [provider, ...id] = event.user.user_id.split("|");
  const path = `/api/v2/users/${encodeURIComponent(primary.user_id)}/identities`;
  await request(path, { token, method: "POST", body: JSON.stringify({ provider, user_id: id.join("|") }) }, event.secrets.DOMAIN);
  api.authentication.setPrimaryUser(primary.user_id);
};
