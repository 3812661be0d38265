/**
 * Search index: keeps the people search up to date with users that come, change and go.
 *
 * Events can arrive twice; what was handled within the last day is skipped by its id. A failure of the
 * index is thrown, so that the event is delivered again.
 *
 * Trigger: event-stream
 * Secrets:
 *   INDEX_URL  the search index
 *   INDEX_KEY  key that may write to it
 */
const DAY_MS = 24 * 3600 * 1000;

async function apply(message, { INDEX_URL, INDEX_KEY }) {
  const person = message.data.object;
  const gone = message.type === "user.deleted";
  return fetch(`${INDEX_URL}/people/${encodeURIComponent(person.user_id)}`, {
    method: gone ? "DELETE" : "PUT",
    headers: { "x-index-key": INDEX_KEY, "content-type": "application/json" },
    body: gone ? undefined : JSON.stringify({ email: person.email, seen: message.time }),
  });
}

exports.onExecuteEventStream = async (event, api) => {
  const { message } = event;
  if (!message.type.startsWith("user.")) {
    return;
  }
  if (api.cache.get(message.id)) {
    console.log("seen before:", message.id);
    return;
  }

  const response = await apply(message, event.secrets);
  if (!response.ok && response.status !== 404) {
    throw new Error(`index answered ${response.status} for ${message.type}`);
  }
  api.cache.set(message.id, message.type, { ttl: DAY_MS });
};
