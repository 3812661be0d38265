// not async, and not even a promise on every path
exports.onExecutePostLogin = function (event, api) {
  if (event.stats.logins_count > 100) {
    api.access.deny("too many logins");
    return;
  }
  return fetch("https://audit.harbor.example/logins", { method: "POST", body: event.user.user_id })
    .then((response) => (response.ok ? response.text() : Promise.reject(new Error(`audit ${response.status}`))))
    .then((id) => api.user.setAppMetadata("audit_id", id))
    .catch((error) => console.error("audit failed:", error.message));
};
