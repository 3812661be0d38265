/**
 * Signed gateway: sends codes through a telephone company that wants each request signed.
 *
 * How to sign is in a module that several Actions share (modules/sms-signing.js, declared in package.json).
 *
 * Trigger: custom-phone-provider
 * Secrets:
 *   SIGNED_GATEWAY_URL  the company's API
 */
const { signed } = require("actions:sms-signing");

exports.onExecuteCustomPhoneProvider = async (event, api) => {
  const { recipient, as_text: text } = event.notification;
  const body = JSON.stringify({ to: recipient, text });
  const response = await fetch(event.secrets.SIGNED_GATEWAY_URL, { method: "POST", headers: signed(body), body });
  if (response.status === 429 || response.status >= 500) {
    api.notification.retry(`the company answered ${response.status}`);
  } else if (!response.ok) {
    api.notification.drop(`the company refused with ${response.status}`);
  }
};
