const BLOCKED = ["AQ", "KP"];

exports.onExecutePostLogin = async (event, api) => {
  const { countryCode = "unknown" } = event.request.geoip;
  // the second argument is a habit from another trigger; it has no meaning here
  if (BLOCKED.includes(countryCode)) return api.access.deny(`no logins from ${countryCode}`, "Sorry!");
  console.log("country %s, city %s", countryCode, event.request.geoip.cityName);
};
