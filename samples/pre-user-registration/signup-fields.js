/**
 * Signup fields: checks and keeps the extra fields of the signup form.
 *
 * The form asks for a berth number (`ulp-berth`, such as N-104) and for the newsletter
 * (`ulp-newsletter`). A wrong berth number is shown beside the form, and the user can correct it.
 *
 * Trigger: pre-user-registration
 * Secrets: none
 */
const BERTH = /^(?<quay>[NESW])-(?<number>\d{1,3})$/;

exports.onExecutePreUserRegistration = async (event, api) => {
  const { "ulp-berth": berth = "", "ulp-newsletter": newsletter } = event.request.body;

  const match = BERTH.exec(berth.trim().toUpperCase());
  if (!match) {
    api.validation.error("invalid_berth", "A berth has a quay and a number, for example N-104.");
    return;
  }

  const { quay, number } = match.groups;
  api.user.setUserMetadata("berth", { quay, number: Number(number) });
  api.user.setUserMetadata("newsletter", newsletter === "on");
};
