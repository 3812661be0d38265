/**
 * Domain allow-list: only people with an address of an invited company can sign up.
 *
 * The company that belongs to the domain is written to the new user's app_metadata. Subdomains count.
 *
 * Trigger: pre-user-registration
 * Secrets:
 *   ALLOWED_DOMAINS  JSON object, domain to company name
 */
exports.onExecutePreUserRegistration = async (event, api) => {
  const companies = JSON.parse(event.secrets.ALLOWED_DOMAINS);
  const domain = event.user.email?.toLowerCase().split("@").at(-1) ?? "";
  const match = Object.keys(companies).find((known) => domain === known || domain.endsWith(`.${known}`));

  if (!match) {
    console.log("refused domain:", domain || "(no email)");
    api.access.deny(
      `signup from ${domain || "an account without email"}`,
      "Sign-up is open to invited companies. Please use the address of your company.",
    );
    return;
  }
  api.user.setAppMetadata("company", companies[match]);
};
