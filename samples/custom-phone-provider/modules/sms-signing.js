/**
 * SMS signing: a shared module that signs requests for the telephone company, with a key that only it knows.
 *
 * `require("actions:sms-signing")` in an Action; its key is a secret of the module and not of the Action.
 */
const crypto = require("crypto");

/** Headers for a request with this body. */
exports.signed = (body) => ({
  "content-type": "application/json",
  "x-account": actions.secrets.ACCOUNT,
  "x-mac": crypto.createHmac("sha512", actions.secrets.KEY).update(body).digest("base64"),
});
