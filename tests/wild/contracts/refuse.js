// Refuses with whatever was thrown, by every member that gives a reason.
class QuotaError extends Error {
  get name() { return "QuotaError"; }
  toJSON() { return { internal: "not for the outside" }; }
}
function OldError(message) {
  this.message = message;
}
OldError.prototype = Object.create(Error.prototype, { name: { value: "OldError" } });

const thrown = {
  plain: () => new Error("no seat is left: Größe 0"),
  own: () => new QuotaError("no seat is left: Größe 0"),
  old: () => new OldError("no seat is left: Größe 0"),
  dom: () => new DOMException("no seat is left: Größe 0", "AbortError"),
  silent: () => new QuotaError(),
  type: () => {
    try {
      return null.seats;
    } catch (error) {
      return error;
    }
  },
  text: () => "no seat is left: Größe 0",
  nothing: () => undefined,
  object: () => ({ seats: 0 }),
};

const refuse = {
  deny: (api, error) => api.access.deny(error),
  coded: (api, error) => api.access.deny("server_error", error),
  signup: (api, error) => api.access.deny(error, error),
  invalid: (api, error) => api.validation.error("no_seat", error),
  token: (api, error) => api.access.rejectInvalidSubjectToken(error),
  session: (api, error) => api.session.revoke(error, { preserveRefreshTokens: true }),
  refresh: (api, error) => api.refreshToken.revoke(error),
  credential: (api, error) => api.authentication.deny({ reason: error }),
  bare: (api, error) => api.authentication.deny(error),
  drop: (api, error) => api.notification.drop(error),
  retry: (api, error) => api.notification.retry(error),
};

async function run(event, api) {
  const { HOW: how, WHAT: what } = event.secrets;
  refuse[how](api, thrown[what]());
}
for (const name of [
  "PostLogin", "CredentialsExchange", "PreUserRegistration", "PostChallenge", "CustomTokenExchange",
  "CustomPhoneProvider", "CustomEmailProvider", "PostCredentialValidation",
]) {
  exports["onExecute" + name] = run;
}
