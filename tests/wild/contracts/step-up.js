// A factor of its own choice, and no box to tick that the browser is known.
exports.onExecutePostLogin = async (event, api) => {
  api.multifactor.enable("any", { allowRememberBrowser: false });
  api.authentication.challengeWith({ type: "otp" });
};
