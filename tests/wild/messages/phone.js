/**
 * @param {Event} event
 * @param {CustomPhoneProviderAPI} api
 */
exports.onExecuteCustomPhoneProvider = async (event, api) => {
  const { delivery_method, recipient, as_text, as_voice, from = "Harbor" } = event.notification;
  try {
    const response = await fetch("https://phone.harbor.example/send", {
      method: "POST",
      headers: new Headers({ "content-type": "application/json" }),
      body: JSON.stringify({ to: recipient, from, body: delivery_method === "voice" ? as_voice : as_text }),
    });
    switch (true) {
      case response.ok: return;
      case response.status === 429 || response.status >= 500:
        api.notification.retry(`gateway: ${response.status}`);
        break;
      default:
        api.notification.drop(`refused: ${await response.text()}`);
    }
  } catch (error) {
    api.notification.drop(`gateway unreachable: ${error.message}`);
  }
};
