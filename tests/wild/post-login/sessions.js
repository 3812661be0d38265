const HOUR = 3600 * 1000;
exports.onExecutePostLogin = async (event, api) => {
  if (event.refresh_token) {
    if (event.refresh_token.device?.initial_ip !== event.request.ip) {
      api.refreshToken.revoke("address changed");
      return;
    }
    api.refreshToken.setIdleExpiresAt(Date.now() + 24 * HOUR);
    api.refreshToken.setMetadata("seen", String(event.refresh_token.metadata?.seen ? +event.refresh_token.metadata.seen + 1 : 1));
    console.log("seen", event.refresh_token.metadata.seen);
    return;
  }
  if (!event.session?.id) return;
  api.session.setCookieMode(event.request.body["ulp-remember-me"] ? "persistent" : "non-persistent");
  api.session.setExpiresAt(Date.now() + 8 * HOUR);
  api.session.setMetadata("device", event.session.device?.last_user_agent?.slice(0, 20) ?? "none");
  console.log(event.session.cookie.mode, event.session.metadata.device);
};
