// A mailbox alone does not reset the password of somebody who has an authenticator.
exports.onExecutePostChallenge = async (event, api) => {
  if (event.user.enrolledFactors.some(({ type }) => type === "otp")) {
    api.authentication.challengeWith({ type: "otp" });
  }
};
