import { expect, test } from "vitest";
import { parseRules, ruleText } from "../src/pages/settings/host_rules";
import { parsePolicy, policyText } from "../src/pages/settings/policy";

test.each(["off", "all", "failures", "failures,denials", "denials,sample:0.05", "sample:1", "sample:0.000001"])(
  "the policy %s is the same after the form",
  (text) => {
    expect(policyText(parsePolicy(text))).toBe(text);
  },
);

test("spaces in a policy do not matter, and shares keep within bounds", () => {
  expect(policyText(parsePolicy("failures , sample: 0.5"))).toBe("failures,sample:0.5");
  expect(policyText({ all: false, failures: false, denials: false, sample: 400 })).toBe("sample:1");
});

test("rules of hosts are read and written line by line", () => {
  const text = "GET,POST api.example /v1 /v2\n*.example\nother.example /x";
  const rules = parseRules(`\n${text}\n\n`);
  expect(rules).toEqual([
    { host: "api.example", methods: ["GET", "POST"], path_prefixes: ["/v1", "/v2"] },
    { host: "*.example", methods: [], path_prefixes: [] },
    { host: "other.example", methods: [], path_prefixes: ["/x"] },
  ]);
  expect((rules as Exclude<typeof rules, string>).map(ruleText).join("\n")).toBe(text);
});

test.each(["GET", "/path", "api.example path"])("%j is no rule", (line) => {
  expect(parseRules(`ok.example\n${line}`)).toBe(line);
});
