// A closed account stays closed, and nobody learns that the password was right. What is known of the risk goes on to
// step_up.py.
exports.onExecutePostCredentialValidation = async (event, api) => {
  if (!event.credential.valid) {
    console.log("wrong credential for", event.credential.identifier);
    return;
  }
  const { closed_until: until = "", risk = 0 } = event.user.app_metadata;
  if (until.localeCompare(new Date().toISOString()) > 0) {
    api.authentication.deny({ reason: `closed until ${until}` });
    return;
  }
  api.transaction.setMetadata("risk", risk);
};
