/**
 * Signals: asks three services about a login at once, and waits for none of them longer than it must.
 *
 * Whoever does not answer in time has no say. Two bad signals stop the login, one asks for a second factor.
 *
 * Trigger: post-login
 * Secrets:
 *   SIGNALS_URL  base address of the services
 *   SIGNALS_KEY  key for all of them
 */
const SOURCES = ["address", "device", "velocity"];
const PATIENCE_MS = 150;

async function ask(source, event, overall) {
  const url = new URL(`/v2/${source}`, event.secrets.SIGNALS_URL);
  url.searchParams.set("ip", event.request.ip);
  url.searchParams.set("user", event.user.user_id);
  const response = await fetch(url, {
    headers: { "x-api-key": event.secrets.SIGNALS_KEY },
    signal: AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), overall]),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await response.json()).risk === "high";
}

exports.onExecutePostLogin = async (event, api) => {
  const overall = new AbortController();
  const answers = await Promise.allSettled(SOURCES.map((source) => ask(source, event, overall.signal)));
  answers.forEach(({ status, reason }, at) => {
    if (status === "rejected") console.warn(`${SOURCES[at]}: ${reason.name}: ${reason.message}`);
  });

  const bad = SOURCES.filter((_, at) => answers[at].value === true);
  if (bad.length >= 2) api.access.deny(`signals: ${bad.join(", ")}`);
  else if (bad.length === 1) api.multifactor.enable("any");
};
