/**
 * Invite code: who signs up needs the code of an invitation, which carries its own expiry.
 *
 * A code is `DAYS-SUM`: the day on which it ends, counted from 1970 in base 36, and the first ten digits of a
 * digest over that day and our secret. TypeScript; types are taken away when the Action is built.
 *
 * Trigger: pre-user-registration
 * Secrets:
 *   INVITE_SECRET  what the digests are made with
 */
import { createHmac } from "node:crypto";
import type { Event, PreUserRegistrationAPI } from "@auth0/actions/pre-user-registration/v2";

type Verdict = { ok: true; until: Date } | { ok: false; reason: string };

const DAY_MS: number = 24 * 3600 * 1000;

function judge(code: string, secret: string): Verdict {
  const [, day, sum] = /^([0-9a-z]+)-([0-9a-f]{10})$/.exec(code) ?? [];
  if (day === undefined) return { ok: false, reason: "malformed" };
  const expected = createHmac("sha256", secret).update(day).digest("hex").slice(0, 10);
  if (sum !== expected) return { ok: false, reason: "forged" };
  const until = new Date((parseInt(day, 36) + 1) * DAY_MS);
  return until.getTime() > Date.now() ? { ok: true, until } : { ok: false, reason: "expired" };
}

export const onExecutePreUserRegistration = async (event: Event, api: PreUserRegistrationAPI): Promise<void> => {
  const code = event.request.body?.["ulp-invite-code"] as string | undefined;
  const verdict = judge(code ?? "", event.secrets.INVITE_SECRET as string);
  if (!verdict.ok) {
    api.access.deny(`invite code ${verdict.reason}`, "This invitation is not valid (any more).");
    return;
  }
  api.user.setAppMetadata("invited_until", verdict.until.toISOString().slice(0, 10));
};
