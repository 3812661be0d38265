// Notes things in the profile for the Actions that follow, as flows of many small Actions do.
exports.onExecutePostLogin = async (event, api) => {
  api.user.setAppMetadata("tmp_scope", event.transaction.requested_scopes.join(" "));
  api.user.setAppMetadata("customer_no", null); // to be asked for again
  api.user.setUserMetadata("tmp_theme", "light").user.setUserMetadata("theme", "light");
};
exports.onExecutePreUserRegistration = exports.onExecutePostLogin;
