/**
 * SAML attributes: gives a service provider the attributes and options that it insists on.
 *
 * Other protocols are left alone.
 *
 * Trigger: post-login
 * Secrets: none
 */
const EMAIL = "urn:oid:0.9.2342.19200300.100.1.3";
const DISPLAY_NAME = "urn:oid:2.16.840.1.113730.3.1.241";
const MEMBER_OF = "urn:oid:1.3.6.1.4.1.5923.1.5.1.1";

exports.onExecutePostLogin = async (event, api) => {
  if (event.transaction?.protocol !== "samlp") {
    return;
  }

  api.samlResponse.setAttribute(EMAIL, event.user.email);
  api.samlResponse.setAttribute(DISPLAY_NAME, event.user.name ?? event.user.user_id);
  api.samlResponse.setAttribute(MEMBER_OF, event.authorization?.roles ?? []);

  api.samlResponse.setNameIdentifierFormat("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress");
  api.samlResponse.setNameIdentifierProbes([
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
  ]);
  api.samlResponse.setLifetimeInSeconds(600);
  api.samlResponse.setSignResponse(true);

  const { saml_audience: audience } = event.client.metadata;
  if (audience) {
    api.samlResponse.setAudience(audience);
  }
};
