// Whoever has not accepted the terms is sent to them, once.
exports.onExecutePostLogin = async (event, api) => {
  if (event.user.app_metadata.terms) return;
  api.redirect.sendUserTo(event.secrets.TERMS_URL, { query: { who: event.user.user_id } });
};

exports.onContinuePostLogin = async (event, api) => {
  if (event.request.query.accepted !== "yes") {
    return api.access.deny("The terms were not accepted.");
  }
  api.user.setAppMetadata("terms", new Date().toISOString().slice(0, 10));
};
