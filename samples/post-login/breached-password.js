/**
 * Breached password: a user whose address turns up in a known leak has to choose a new password.
 *
 * Asks a leak service once a day per user. A hit that is younger than the password redirects to the
 * page where a password is changed; that page sends the user back with a signed token when it is done.
 * When the service does not answer, the login goes on.
 *
 * Trigger: post-login
 * Secrets:
 *   LEAK_API_URL           leak service
 *   LEAK_API_KEY           our key there
 *   CHANGE_PASSWORD_URL    page where the password is changed
 *   CHANGE_PASSWORD_SECRET shared with that page; signs the tokens of both sides
 */
const DAY_MS = 24 * 3600 * 1000;

async function latestLeak(email, secrets) {
  const response = await fetch(`${secrets.LEAK_API_URL}/accounts/${encodeURIComponent(email)}`, {
    headers: { "x-api-key": secrets.LEAK_API_KEY, accept: "application/json" },
    signal: AbortSignal.timeout(2000),
  });
  if (response.status === 404) {
    return null;
  }
  if (!response.ok) {
    throw new Error(`leak service: HTTP ${response.status}`);
  }
  const leaks = await response.json();
  return leaks.sort((a, b) => b.leaked_at.localeCompare(a.leaked_at))[0] ?? null;
}

exports.onExecutePostLogin = async (event, api) => {
  const { user, secrets } = event;
  const checkedAt = Date.parse(user.app_metadata.leak_checked_at ?? "1970-01-01");
  const recently = Date.now() - checkedAt < DAY_MS;
  if (event.connection.strategy !== "auth0" || !user.email || recently || !api.redirect.canRedirect()) {
    return;
  }

  let leak;
  try {
    leak = await latestLeak(user.email, secrets);
  } catch (error) {
    console.error("leak check skipped:", error.message);
    return;
  }

  const passwordSet = Date.parse(user.last_password_reset ?? user.created_at);
  if (!leak || Date.parse(leak.leaked_at) < passwordSet) {
    api.user.setAppMetadata("leak_checked_at", new Date().toISOString());
    return;
  }

  console.warn(`${user.user_id} is in the leak "${leak.name}"`);
  api.redirect.sendUserTo(secrets.CHANGE_PASSWORD_URL, {
    query: {
      session_token: api.redirect.encodeToken({
        secret: secrets.CHANGE_PASSWORD_SECRET,
        expiresInSeconds: 600,
        payload: { leak: leak.name },
      }),
    },
  });
};

exports.onContinuePostLogin = async (event, api) => {
  const answer = api.redirect.validateToken({ secret: event.secrets.CHANGE_PASSWORD_SECRET });
  if (answer.password_changed !== true) {
    api.access.deny("Please choose a new password before you go on.");
    return;
  }
  api.user.setAppMetadata("leak_checked_at", new Date().toISOString());
};
