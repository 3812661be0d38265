"use strict";
exports.onExecutePostLogin = async function (event, api) {
  var allowed = (event.secrets.ALLOWED_DOMAINS || "").split(",").map(function (d) { return d.trim().toLowerCase(); });
  var ok = allowed.some(function (domain) {
    return new RegExp("@" + domain.replace(/\./g, "\\.") + "$", "i").test(event.user.email);
  });
  if (event.user.email && event.user.email_verified && ok) {
    return;
  }
  api.access.deny("access_denied");
};
