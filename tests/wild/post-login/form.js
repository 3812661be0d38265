exports.onExecutePostLogin = async (event, api) => {
  if (event.stats.logins_count % 2 === 1) {
    api.prompt.render("ap_9hXq2", { fields: { name: event.user.given_name }, vars: { plan: "gold" } });
  }
};

exports.onContinuePostLogin = async (event, api) => {};
