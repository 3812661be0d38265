// Only people with an address of one of our domains may sign up.
exports.onExecutePreUserRegistration = async (event, api) => {
  const domain = event.user.email.split("@").pop().toLowerCase();
  if (!event.secrets.DOMAINS.split(",").includes(domain)) {
    return api.access.deny("domain_not_allowed", "Please sign up with your work address.");
  }
  api.user.setUserMetadata("company", domain.split(".")[0]);
};
