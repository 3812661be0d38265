/**
 * HMAC webhook: tells a partner of new users, in a way that the partner can check.
 *
 * The body is signed with HMAC-SHA256 over the time and the text, so that nobody can forge or replay it. The partner
 * answers with the digest of what it stored; another digest than ours is an error.
 *
 * Trigger: post-user-registration
 * Secrets:
 *   HOOK_URL     where the partner listens
 *   HOOK_SECRET  what both sides sign with
 */
const { createHash, createHmac, timingSafeEqual } = require("node:crypto");

function signature(secret, timestamp, body) {
  return createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
}

function isSame(left, right) {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

exports.onExecutePostUserRegistration = async (event) => {
  const { HOOK_URL, HOOK_SECRET } = event.secrets;
  const body = JSON.stringify({ type: "user.created", id: event.user.user_id, email: event.user.email });
  const timestamp = Math.floor(Date.now() / 1000);

  const response = await fetch(HOOK_URL, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-signature": `t=${timestamp},v1=${signature(HOOK_SECRET, timestamp, body)}`,
    },
    body,
  });
  if (!response.ok) throw new Error(`the partner answered ${response.status}`);

  const { digest } = await response.json();
  if (!isSame(digest, createHash("sha256").update(body).digest("base64url"))) {
    throw new Error("the partner stored something else");
  }
  console.log("partner informed");
};
