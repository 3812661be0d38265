// puts everything into the token, as starters do
exports.onExecutePostLogin = async (event, api) => {
  console.log(event);
  console.log(JSON.stringify(event.user, null, 2).length > 100);
  api.accessToken.setCustomClaim("user", event.user);
  api.accessToken.setCustomClaim("nothing", undefined);
  event.user.email = "changed@elsewhere.example";
  delete event.user.name;
};
