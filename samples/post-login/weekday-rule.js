/**
 * Weekday rule: closes an application to its users at the weekend.
 *
 * An application opts in with the metadata entry `weekdays_only: "yes"`; all others are open on
 * every day. The weekend is that of the office: `utc_offset_minutes` in the same metadata says
 * how far its clock is ahead of UTC.
 *
 * Trigger: post-login
 * Secrets: none
 */
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

function officeDay(offsetMinutes) {
  return new Date(Date.now() + offsetMinutes * 60_000).getUTCDay();
}

exports.onExecutePostLogin = async (event, api) => {
  const { weekdays_only: weekdaysOnly, utc_offset_minutes: offset = "0" } = event.client.metadata;
  if (weekdaysOnly !== "yes") {
    console.log(`${event.client.name} is open every day of the week`);
    return;
  }

  const day = officeDay(Number(offset));
  console.log(`${event.client.name} is open on weekdays, today is ${DAYS[day]}`);
  if (day === 0 || day === 6) {
    api.access.deny(`${event.client.name} is closed on ${DAYS[day]}s.`);
  }
};
