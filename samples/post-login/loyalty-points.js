/**
 * Loyalty points: puts the user's points into the ID token, with as few calls as possible.
 *
 * The loyalty API wants a token of its own, from the client-credentials grant. The token is kept in the cache until
 * shortly before it expires; a token that was revoked meanwhile is thrown away and fetched anew, once.
 *
 * Trigger: post-login
 * Secrets:
 *   LOYALTY_URL            the API
 *   LOYALTY_CLIENT_ID      our client there
 *   LOYALTY_CLIENT_SECRET  its secret
 */
const KEY = "loyalty-token";
const MARGIN_MS = 60_000;

async function freshToken(event, cache) {
  const { LOYALTY_URL, LOYALTY_CLIENT_ID, LOYALTY_CLIENT_SECRET } = event.secrets;
  const response = await fetch(new URL("/oauth/token", LOYALTY_URL), {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${LOYALTY_CLIENT_ID}:${LOYALTY_CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", scope: "points:read" }),
  });
  if (!response.ok) throw new Error(`no token from the loyalty API: HTTP ${response.status}`);
  const { access_token: token, expires_in: seconds } = await response.json();
  cache.set(KEY, token, { ttl: Math.max(seconds * 1000 - MARGIN_MS, 0) });
  return token;
}

async function points(event, token) {
  return fetch(`${event.secrets.LOYALTY_URL}/members/${encodeURIComponent(event.user.email)}`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

exports.onExecutePostLogin = async (event, api) => {
  const kept = api.cache.get(KEY)?.value;
  let response = await points(event, kept ?? (await freshToken(event, api.cache)));
  if (response.status === 401 && kept !== undefined) {
    response = await points(event, await freshToken(event, api.cache));
  }
  if (response.ok) {
    const { points: total } = await response.json();
    api.idToken.setCustomClaim("https://harbor.example/points", total);
  }
};
