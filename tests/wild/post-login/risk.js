exports.onExecutePostLogin = async (event, api) => {
  const risk = event.authentication?.riskAssessment;
  const { NewDevice, ImpossibleTravel, UntrustedIP } = risk?.assessments ?? {};
  if (ImpossibleTravel?.code === "impossible_travel_from_last_login") return api.session.revoke("impossible travel");
  const worried = [NewDevice, UntrustedIP].filter(Boolean).some(({ confidence }) => confidence === "low");
  if (!worried && risk?.confidence !== "low") return;
  const enrolled = event.user.enrolledFactors?.map((factor) => ({ type: factor.type })) ?? [];
  if (enrolled.length) api.authentication.challengeWithAny(enrolled);
  else api.authentication.enrollWithAny([{ type: "otp" }, { type: "phone", options: { preferredMethod: "sms" } }]);
};
