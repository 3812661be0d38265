/**
 * CRM contact: tells the customer database of a new user.
 *
 * The call carries the user id as idempotency key, so a repeated delivery makes no second contact. A
 * server error is tried once more; after that the error shows in the logs. The user notices nothing.
 *
 * Trigger: post-user-registration
 * Secrets:
 *   CRM_URL    base address of the customer database
 *   CRM_TOKEN  token that may create contacts
 */
async function createContact(contact, { CRM_URL, CRM_TOKEN }) {
  return fetch(`${CRM_URL}/contacts`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${CRM_TOKEN}`,
      "content-type": "application/json",
      "idempotency-key": contact.external_id,
    },
    body: JSON.stringify(contact),
  });
}

exports.onExecutePostUserRegistration = async (event) => {
  const { user, transaction } = event;
  const contact = {
    external_id: user.user_id,
    email: user.email,
    name: user.name ?? user.nickname,
    language: transaction?.locale ?? "en",
    source: event.request?.geoip.countryCode ?? "import",
  };

  let response = await createContact(contact, event.secrets);
  if (response.status >= 500) {
    console.warn(`CRM answered ${response.status}, trying once more`);
    response = await createContact(contact, event.secrets);
  }
  if (!response.ok && response.status !== 409) {
    throw new Error(`contact not created: HTTP ${response.status}`);
  }
  console.log("contact", response.status === 409 ? "existed already" : "created");
};
