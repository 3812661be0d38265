/**
 * @param {Event} event
 * @param {PostLoginAPI} api
 */
exports.onExecutePostLogin = async (event, api) => {
  const { consentGiven } = event.user.user_metadata || {};
  if (!consentGiven && api.redirect.canRedirect()) {
    const options = {
      query: { auth0_domain: `${event.tenant.id}.auth0.com`, lang: event.request.language, logins: event.stats.logins_count },
    };
    api.redirect.sendUserTo(event.secrets.CONSENT_FORM_URL, options);
  }
};

exports.onContinuePostLogin = async (event, api) => {
  if (event.request.body.confirm === "yes") {
    api.user.setUserMetadata("consentGiven", true);
    api.user.setUserMetadata("consentTimestamp", Date.now());
    return;
  }
  return api.access.deny("User did not consent");
};
