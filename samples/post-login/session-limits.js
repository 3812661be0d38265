/**
 * Session limits: shared terminals get short sessions, and a session stays where it began.
 *
 * Applications with the metadata entry `terminal: "shared"` get a session of one shift, closed after
 * ten idle minutes and at the end of the browser. A session that began in one country and comes back
 * from another one is revoked.
 *
 * Trigger: post-login
 * Secrets: none
 */
const MINUTE = 60_000;

exports.onExecutePostLogin = async (event, api) => {
  if (!event.session?.id) {
    return;
  }

  const here = event.request.geoip.countryCode;
  const began = event.session.metadata?.country;
  if (began && here && began !== here) {
    console.warn(`session ${event.session.id} moved from ${began} to ${here}`);
    api.session.revoke(`Session moved from ${began} to ${here}.`, { preserveRefreshTokens: false });
    return;
  }
  if (!began && here) {
    api.session.setMetadata("country", here);
  }

  if (event.client.metadata.terminal === "shared") {
    const now = Date.now();
    api.session.setExpiresAt(now + 8 * 60 * MINUTE);
    api.session.setIdleExpiresAt(now + 10 * MINUTE);
    api.session.setCookieMode("non-persistent");
  }
};
