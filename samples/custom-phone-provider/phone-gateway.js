/**
 * Phone gateway: delivers text and voice messages through one HTTP gateway.
 *
 * A text goes out as text, a voice message is read out. The delivery id makes the log searchable on the
 * gateway's side.
 *
 * Trigger: custom-phone-provider
 * Secrets:
 *   PHONE_URL  the gateway
 *   PHONE_KEY  our key there
 */
exports.onExecuteCustomPhoneProvider = async (event, api) => {
  const { delivery_method: method, recipient, as_text, as_voice, locale } = event.notification;
  const message = method === "voice" ? { say: as_voice, language: locale } : { text: as_text };

  const response = await fetch(`${event.secrets.PHONE_URL}/${method}`, {
    method: "POST",
    headers: { "x-key": event.secrets.PHONE_KEY, "content-type": "application/json" },
    body: JSON.stringify({ to: recipient, from: event.notification.from, ...message }),
  });

  if (response.status >= 500) {
    api.notification.retry(`gateway answered ${response.status}`);
    return;
  }
  const answer = await response.json();
  if (!response.ok) {
    api.notification.drop(`gateway refused: ${answer.error}`);
    return;
  }
  console.log("delivery", answer.id);
};
