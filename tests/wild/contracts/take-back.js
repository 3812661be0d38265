// Takes back at a signup what an Action before it noted.
exports.onExecutePreUserRegistration = async (event, api) => {
  console.log("a new user's theme:", event.user.user_metadata.theme);
  api.user.setAppMetadata("tmp_scope", undefined).user.setUserMetadata("tmp_theme", undefined);
  api.user.setUserMetadata("theme", undefined);
};
