/**
 * Terms of use: shows a form until the user has accepted the current version.
 *
 * The form has a hidden field `version` and a choice `accepted` ("yes" or "no"). What the user answers
 * is kept in app_metadata, where the user cannot change it.
 *
 * Trigger: post-login
 * Secrets:
 *   TERMS_FORM_ID  id of the form, begins with ap_
 *   TERMS_VERSION  version that is in force, such as 2025-01
 */
exports.onExecutePostLogin = async (event, api) => {
  const { TERMS_FORM_ID, TERMS_VERSION } = event.secrets;
  const accepted = event.user.app_metadata.terms?.version;
  if (accepted === TERMS_VERSION || !api.redirect.canRedirect()) {
    return;
  }
  api.prompt.render(TERMS_FORM_ID, {
    fields: { version: TERMS_VERSION },
    vars: { previous_version: accepted ?? "none" },
  });
};

exports.onContinuePostLogin = async (event, api) => {
  const { accepted, version } = event.prompt?.fields ?? {};
  if (accepted !== "yes" || version !== event.secrets.TERMS_VERSION) {
    api.access.deny("Our terms of use have to be accepted before you can go on.");
    return;
  }
  api.user.setAppMetadata("terms", { version, accepted_at: new Date().toISOString() });
};
