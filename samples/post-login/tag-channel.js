/**
 * Channel, first half: finds out once by which channel the user comes, for all later Actions.
 *
 * Transaction metadata is shared by the Actions of one login and lost at its end. Bind it before
 * `channel_claims.py`.
 *
 * Trigger: post-login
 * Secrets: none
 */
function channelOf({ request, transaction }) {
  if (transaction?.protocol === "oauth2-device-code") {
    return "kiosk";
  }
  return /\b(Android|iPhone|iPad)\b/.test(request.user_agent ?? "") ? "mobile" : "web";
}

exports.onExecutePostLogin = async (event, api) => {
  api.transaction.setMetadata("channel", channelOf(event));
  api.transaction.setMetadata("first_login", event.stats.logins_count <= 1);
  console.log("transaction metadata:", event.transaction?.metadata);
};
