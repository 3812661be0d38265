// Writes and takes back in one go.
exports.onExecutePostLogin = async (event, api) => {
  api.user.setAppMetadata("a", 1).user.setAppMetadata("a", undefined);
  api.user.setUserMetadata("b", null).user.setUserMetadata("b", undefined);
  api.user.setUserMetadata("c", 1).user.setUserMetadata("c", undefined).user.setUserMetadata("c", 2);
};
