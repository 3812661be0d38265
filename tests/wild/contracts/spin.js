// Waits for a service that never answers.
exports.onExecutePostCredentialValidation = async () => {
  for (;;);
};
