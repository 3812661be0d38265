const decode = (part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
const { createHmac, timingSafeEqual } = require("crypto");

function verify(token, secret) {
  const [header, payload, signature] = token.split(".");
  if (!signature || decode(header).alg !== "HS256") throw new TypeError("not a token of ours");
  const expected = createHmac("sha256", secret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, "base64url");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new TypeError("wrong signature");
  return decode(payload);
}

exports.onExecuteCustomTokenExchange = async (event, api) => {
  let claims;
  try {
    claims = verify(event.transaction.subject_token, event.secrets.PARTNER_KEY);
  } catch (error) {
    if (error instanceof TypeError) return api.access.rejectInvalidSubjectToken(error.message);
    throw error;
  }
  if (claims.aud !== event.resource_server.identifier) {
    api.access.deny("wrong_audience", `the token is for ${claims.aud}`);
    return;
  }
  if (claims.partner) {
    const { sub: user_id, email, name } = claims;
    api.authentication.setUserByConnection(
      "partners",
      { user_id, email, email_verified: true, name, verify_email: false },
      { creationBehavior: "create_if_not_exists", updateBehavior: "replace" },
    );
    api.user.setAppMetadata("partner", claims.partner);
  } else {
    api.authentication.setUserById(claims.sub);
  }
  if (claims.agent) api.authentication.setActor({ sub: claims.agent, kind: "agent" });
};
