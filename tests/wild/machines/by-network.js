const CIDRS = [["203.0.113.0", 24], ["198.51.100.7", 32]];
const number = (ip) => ip.split(".").reduce((sum, part) => (sum << 8n) + BigInt(part), 0n);
const inside = (ip, [base, bits]) => number(ip) >> BigInt(32 - bits) === number(base) >> BigInt(32 - bits);

exports.onExecuteCredentialsExchange = async (event, api) => {
  if (!CIDRS.some((cidr) => inside(event.request.ip, cidr))) {
    api.access.deny("access_denied", `address ${event.request.ip} is not on the list`);
    return;
  }
  const { metadata, name } = event.client;
  api.accessToken
    .setCustomClaim("https://harbor.example/client", name)
    .accessToken.setCustomClaim("tier", metadata.tier ?? "basic");
  for (const scope of event.transaction.requested_scopes) {
    if (scope.startsWith("write:") && metadata.tier !== "gold") api.transaction.removeTargetScope(scope);
  }
  console.log(event.transaction.target_scopes, event.accessToken.scope);
};
