exports.onExecutePostLogin = async (event) => {
  console.log(event.user.email, event.user.name);
};
