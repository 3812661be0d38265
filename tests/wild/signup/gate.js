const THROWAWAY = /@(mailinator|tempmail)\./i;

exports.onExecutePreUserRegistration = async (event, api) => {
  const language = event.request.language?.split("-")[0];
  const texts = { nl: "Gebruik een echt adres.", en: "Please use a real address." };
  if (THROWAWAY.test(event.user.email)) {
    return api.access.deny("throwaway_address", texts[language] || texts.en);
  }
  if (event.connection.strategy === "sms") return;
  const { "ulp-first-name": first, "ulp-terms": terms } = event.request.body;
  if (!terms) {
    api.validation.error("terms_missing", "You have to accept the terms.");
    return;
  }
  api.user.setUserMetadata("first_name", first ?? event.user.given_name).user.setAppMetadata("signup", {
    client: event.client?.name,
    locale: event.transaction?.locale,
    ip: event.request.ip,
  });
};
