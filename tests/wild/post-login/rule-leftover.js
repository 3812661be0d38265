// half migrated: only those who are VIPs meet the old lines
exports.onExecutePostLogin = async (event, api) => {
  if (event.user.app_metadata.vip) {
    user.app_metadata = user.app_metadata || {};
    return callback(null, user, context);
  }
  if (event.user.app_metadata.legacy) {
    api.user.setRoles(["member"]);
  }
  if (event.user.app_metadata.typo && event.authencation.methods.length) {
    api.idToken.setCustomClaim("typo", true);
  }
  api.idToken.setCustomClaim("migrated", true);
};
