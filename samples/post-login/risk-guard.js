/**
 * Risk guard: weighs what the risk assessment says of this login.
 *
 * A caller on a deny list is refused. Travel that is not possible, or an unknown device, costs a second
 * factor that the browser may not remember. Without an assessment the login is left alone.
 *
 * Trigger: post-login
 * Secrets: none
 */
exports.onExecutePostLogin = async (event, api) => {
  const risk = event.authentication?.riskAssessment;
  if (!risk) {
    console.log("no risk assessment");
    return;
  }

  const { UntrustedIP, ImpossibleTravel, NewDevice } = risk.assessments;
  if (UntrustedIP?.code === "found_on_deny_list" && UntrustedIP.confidence === "low") {
    console.warn(`refused ${event.request.ip}:`, UntrustedIP.details);
    api.access.deny("This login was refused for security reasons.");
    return;
  }

  const reasons = [];
  if (ImpossibleTravel?.code === "impossible_travel_from_last_login") {
    reasons.push("impossible travel");
  }
  if (NewDevice?.code === "no_match" || NewDevice?.code === "unknown_device") {
    reasons.push("unknown device");
  }
  if (reasons.length > 0) {
    console.log(`second factor because of ${reasons.join(" and ")}`);
    api.multifactor.enable("any", { allowRememberBrowser: false });
  }
};
