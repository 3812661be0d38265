const list = (strings, ...values) => strings.raw.map((text, i) => text + (values[i] ?? "")).join("");
class Counter extends Map {
  #total = 0;
  static of(items) { const c = new this(); for (const item of items) c.add(item); return c; }
  add(key) { this.set(key, (this.get(key) ?? 0) + 1); this.#total++; return this; }
  get total() { return this.#total; }
}
exports.onExecutePostLogin = async ({ user, request, ...event }, api) => {
  const groups = (user.app_metadata.teams ?? []).flatMap(({ name, roles }) => roles.map((role) => `${name}:${role}`));
  const byLength = Object.fromEntries([...new Set(groups)].map((group) => [group, group.length]));
  const counter = Counter.of(groups.map((group) => group.split(":").at(-1)));
  let mail = null;
  mail ??= user.email?.replaceAll(".", "") ?? "none";
  outer: for (const [key, value] of Object.entries(byLength)) {
    if (value > 100) continue outer;
    console.log(list`${key} is ${value} long`);
  }
  console.log(mail, counter.total, [...counter.entries()], typeof event.client, 1_000n ** 2n);
  await Promise.all(groups.map(async (group) => api.user.setAppMetadata(`g_${group.replace(":", "_")}`, true)));
  api.transaction.setMetadata("groups", groups.join());
};
