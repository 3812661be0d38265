/**
 * Office hours: an application is open only while its office is, on the office's own clock.
 *
 * The application says in its metadata where the office is (`office_zone`, an IANA time zone) and when it is open
 * (`office_hours`, say `9-17`). Summer time is that of the zone. Applications without a zone are always open.
 *
 * Trigger: post-login
 * Secrets: none
 */
const WEEKEND = ["Saturday", "Sunday"];

function officeClock(timeZone) {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, weekday: "long", hour: "numeric", hourCycle: "h23" });
  const parts = Object.fromEntries(format.formatToParts(new Date()).map(({ type, value }) => [type, value]));
  return { weekday: parts.weekday, hour: Number(parts.hour) };
}

exports.onExecutePostLogin = async (event, api) => {
  const { office_zone: zone, office_hours: hours = "9-17" } = event.client.metadata;
  if (!zone) return;

  const [opens, closes] = hours.split("-").map(Number);
  const { weekday, hour } = officeClock(zone);
  const local = new Date().toLocaleTimeString("en-GB", { timeZone: zone, timeStyle: "short" });
  console.log(`it is ${weekday}, ${local} in ${zone}`);
  if (WEEKEND.includes(weekday) || hour < opens || hour >= closes) {
    api.access.deny("outside office hours", `${event.client.name} is open from ${opens} to ${closes} o'clock, Monday to Friday.`);
  }
};
