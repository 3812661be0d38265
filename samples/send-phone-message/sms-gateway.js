/**
 * SMS gateway: sends MFA codes through a gateway with a form-encoded HTTP interface.
 *
 * Voice calls use the gateway's other resource. What the gateway refuses is thrown, because that is
 * how a message counts as not sent.
 *
 * Trigger: send-phone-message
 * Secrets:
 *   GATEWAY_URL      base address of the gateway
 *   GATEWAY_ACCOUNT  account there
 *   GATEWAY_TOKEN    its token
 *   GATEWAY_FROM     our number
 */
exports.onExecuteSendPhoneMessage = async (event) => {
  const { GATEWAY_URL, GATEWAY_ACCOUNT, GATEWAY_TOKEN, GATEWAY_FROM } = event.secrets;
  const { recipient, text, message_type: type } = event.message_options;
  const resource = type === "voice" ? "Calls" : "Messages";

  const response = await fetch(`${GATEWAY_URL}/accounts/${GATEWAY_ACCOUNT}/${resource}`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${GATEWAY_ACCOUNT}:${GATEWAY_TOKEN}`)}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: new URLSearchParams({ To: recipient, From: GATEWAY_FROM, Body: text }).toString(),
  });

  const answer = await response.json();
  if (!response.ok) {
    throw new Error(`gateway refused the message: ${answer.message ?? response.status}`);
  }
  console.log(`${type} to ${recipient.slice(0, 4)}… accepted as ${answer.sid}`);
};
