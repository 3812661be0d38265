const ends = {
  string: () => { throw "just text"; },
  object: () => { throw { code: 42 }; },
  reject: () => Promise.reject(new TypeError("rejected")),
  nothing: () => Promise.reject(),
  late: () => new Promise((_, reject) => setTimeout(() => reject(new Error("late")), 20)),
  never: () => new Promise(() => {}),
  deny: (api) => { api.access.deny("first"); api.access.deny("second"); api.user.setUserMetadata("kept", 1); },
};
exports.onExecutePostLogin = async (event, api) => {
  api.user.setAppMetadata("before", true);
  await ends[event.client.metadata.end](api);
};
