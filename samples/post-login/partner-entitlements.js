/**
 * Partner entitlements: asks a partner's API what the user has bought, and says so in the access token.
 *
 * The partner's own access token is kept in the cache and shared by all logins. When the partner is
 * slow or down, the login goes on without the claim.
 *
 * Trigger: post-login
 * Secrets:
 *   PARTNER_URL            base address of the partner
 *   PARTNER_CLIENT_ID      our application there
 *   PARTNER_CLIENT_SECRET  its secret
 */
const CACHE_KEY = "partner-token";
const TIMEOUT_MS = 3000;

async function partnerToken({ secrets }, cache) {
  const kept = cache.get(CACHE_KEY);
  if (kept) {
    return kept.value;
  }
  const response = await fetch(`${secrets.PARTNER_URL}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      grant_type: "client_credentials",
      client_id: secrets.PARTNER_CLIENT_ID,
      client_secret: secrets.PARTNER_CLIENT_SECRET,
    }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    throw new Error(`partner token: HTTP ${response.status}`);
  }
  const { access_token: token, expires_in: seconds } = await response.json();
  const stored = cache.set(CACHE_KEY, token, { ttl: (seconds - 60) * 1000 });
  if (stored.type === "error") {
    console.warn("partner token not kept:", stored.code);
  }
  return token;
}

exports.onExecutePostLogin = async (event, api) => {
  try {
    const token = await partnerToken(event, api.cache);
    const customer = encodeURIComponent(event.user.app_metadata.customer_no ?? event.user.user_id);
    const response = await fetch(`${event.secrets.PARTNER_URL}/customers/${customer}/entitlements`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 401) {
      api.cache.delete(CACHE_KEY);
    }
    if (!response.ok) {
      throw new Error(`entitlements: HTTP ${response.status}`);
    }
    const { products } = await response.json();
    api.accessToken.setCustomClaim("https://harbor.example/products", products);
  } catch (error) {
    console.error("login goes on without entitlements:", error.message);
  }
};
