const https = require("https");
const querystring = require("querystring");

const post = (url, form) =>
  new Promise((resolve, reject) => {
    const body = querystring.stringify(form);
    const { hostname, pathname } = new URL(url);
    const request = https.request(
      { hostname, path: pathname, method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": Buffer.byteLength(body) } },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }));
      },
    );
    request.on("error", reject);
    request.end(body);
  });

exports.onExecutePostLogin = async (event, api) => {
  const { status, text } = await post("https://crm.harbor.example/contacts", { email: event.user.email, name: event.user.name });
  if (status >= 300) throw new Error(`CRM answered ${status}`);
  api.user.setAppMetadata("crm", JSON.parse(text).id);
};
