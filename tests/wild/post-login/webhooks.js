// one webhook that nobody waits for, one service that hangs and is given up
const later = (work) => new Promise((done) => setImmediate(() => done(work())));

exports.onExecutePostLogin = async (event, api) => {
  later(() => fetch("https://hooks.harbor.example/token", { method: "POST" }))
    .then((answer) => later(() => answer.text()))
    .then((token) => fetch("https://hooks.harbor.example/logins", { method: "POST", body: token }))
    .then(() => api.access.deny("late"));
  try {
    await fetch("https://slow.harbor.example/score", { signal: AbortSignal.timeout(50) });
  } catch (error) {
    console.log(error.name);
    api.idToken.setCustomClaim("score", "unknown");
  }
};
