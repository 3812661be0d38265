exports.onExecuteSendPhoneMessage = async (event) => {
  const { recipient, text, code, message_type: type, action } = event.message_options;
  const { ACCOUNT, TOKEN, FROM } = event.secrets;
  const spoken = `<Response><Say>${code.split("").join(", ")}</Say></Response>`;
  const form = new URLSearchParams();
  form.append("To", recipient);
  form.append("From", FROM);
  form.append(type === "voice" ? "Twiml" : "Body", type === "voice" ? spoken : text);

  const response = await fetch(`https://sms.harbor.example/Accounts/${ACCOUNT}/${type === "voice" ? "Calls" : "Messages"}.json`, {
    method: "POST",
    headers: { Authorization: `Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString("base64")}` },
    body: form,
  });
  if (!response.ok) {
    const { message } = await response.json().catch(() => ({ message: response.statusText }));
    throw new Error(`not sent (${action}): ${message}`);
  }
};
