/**
 * Mail API: delivers emails through a provider with an HTTP interface.
 *
 * A busy provider (429) or one in trouble (5xx) is worth another try; what it refuses (other 4xx) will
 * be refused again and is dropped. A broken connection is retried too.
 *
 * Trigger: custom-email-provider
 * Secrets:
 *   MAIL_URL  the provider's address for one message
 *   MAIL_KEY  our key there
 */
exports.onExecuteCustomEmailProvider = async (event, api) => {
  const { to, from, subject, html, text, message_type: type } = event.notification;

  let response;
  try {
    response = await fetch(event.secrets.MAIL_URL, {
      method: "POST",
      headers: {
        authorization: `Bearer ${event.secrets.MAIL_KEY}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ to: [{ email: to }], from, subject, html, text, tags: [type] }),
      signal: AbortSignal.timeout(5000),
    });
  } catch (error) {
    api.notification.retry(`no answer from the mail provider: ${error.message}`);
    return;
  }

  if (response.ok) {
    console.log(`${type} handed over`);
  } else if (response.status === 429 || response.status >= 500) {
    api.notification.retry(`mail provider answered ${response.status}`);
  } else {
    api.notification.drop(`mail provider refused with ${response.status}: ${await response.text()}`);
  }
};
