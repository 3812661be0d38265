/**
 * Progressive profiling: asks regular users for the profile fields that are still missing.
 *
 * From the third login on, the browser is sent to the profile site with a signed list of the missing
 * fields. The site answers with a signed token of its own; what it carries goes into user_metadata.
 * Nothing is asked where no browser can be redirected (refresh tokens, `prompt=none`, ...).
 *
 * Trigger: post-login
 * Secrets:
 *   PROFILE_SITE_URL     where the questions are asked
 *   PROFILE_SITE_SECRET  shared with that site; signs the tokens of both sides
 */
const WANTED = ["company", "job_title"];
const FIRST_LOGIN_TO_ASK = 3;

const missingFields = (user) => WANTED.filter((field) => !user.user_metadata[field]);

exports.onExecutePostLogin = async (event, api) => {
  const missing = missingFields(event.user);
  if (missing.length === 0 || event.stats.logins_count < FIRST_LOGIN_TO_ASK) {
    return;
  }
  if (!api.redirect.canRedirect()) {
    console.info("no browser to redirect, asking another time");
    return;
  }

  const token = api.redirect.encodeToken({
    secret: event.secrets.PROFILE_SITE_SECRET,
    expiresInSeconds: 300,
    payload: { missing },
  });
  api.redirect.sendUserTo(event.secrets.PROFILE_SITE_URL, {
    query: { session_token: token, back: `https://${event.request.hostname}/continue` },
  });
};

exports.onContinuePostLogin = async (event, api) => {
  let answer;
  try {
    answer = api.redirect.validateToken({ secret: event.secrets.PROFILE_SITE_SECRET });
  } catch (error) {
    console.error("profile site sent an unusable token:", error.message);
    api.access.deny("The profile could not be completed. Please sign in again.");
    return;
  }

  for (const field of missingFields(event.user)) {
    const value = answer.profile?.[field];
    if (typeof value === "string" && value.trim() !== "") {
      api.user.setUserMetadata(field, value.trim());
    }
  }
};
