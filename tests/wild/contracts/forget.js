// Takes back what was noted for the flow only. A value that was never found is undefined, too.
const found = {};
exports.onExecutePostLogin = async (event, api) => {
  api.user.setAppMetadata("tmp_scope", undefined);
  api.user.setAppMetadata("customer_no", found.customer?.number);
  api.user.setUserMetadata("tmp_theme");
  api.user.setUserMetadata("theme", () => "a function has no JSON form, and so counts as undefined");
};
